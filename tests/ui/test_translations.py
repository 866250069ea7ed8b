"""German is whole: every text of the window's source has its translation, and the compiled file says the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QTranslator

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import translations  # noqa: E402  (it lies beside the benchmarks)

MENDED = "`make translations` brings the files up to date, and says what is to be translated"
_HOLES = re.compile(r"\{[^}]*\}|%n")


def of(language: str) -> dict[translations.Text, tuple[str, ...]]:
    return translations.translations(translations.FOLDER / f"sightmix_{language}.ts")


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_every_text_is_translated_and_none_is_gone(language: str) -> None:
    now = {text for text in translations.texts() if text.counts or language != "en"}
    known = of(language)
    assert sorted(now - set(known)) == [], MENDED
    assert sorted(set(known) - now) == [], MENDED
    assert [text for text, forms in known.items() if not forms] == [], MENDED
    assert len(known) > (300 if language == "de" else 0)


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_what_is_put_into_a_text_is_put_into_its_translation(language: str) -> None:
    for text, forms in of(language).items():
        for form in forms:
            assert sorted(_HOLES.findall(form)) == sorted(_HOLES.findall(text.source)), text
            assert text.source.count("\t") == form.count("\t"), text


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_the_compiled_file_says_the_same(language: str) -> None:
    spoken = QTranslator()
    assert spoken.load(str(translations.FOLDER / f"sightmix_{language}.qm"))
    for text, forms in of(language).items():
        said = [
            spoken.translate(text.context, text.source, text.comment, n)
            for n in ((1, 2) if text.counts else (-1,))
        ]
        assert said == list(forms), text


def test_keys_of_a_dialog_are_not_two_s(qapp: object) -> None:
    """Alt and a letter is one button's in the tour's bubble."""
    told = {text: forms[0] for text, forms in of("de").items() if text.context == "_Bubble"}
    marked = [form for form in told.values() if "&" in form]
    letters = [form[form.index("&") + 1].lower() for form in marked]
    assert len(letters) == 4
    assert len(set(letters)) == len(letters)


def test_texts_are_found_however_they_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "view.py").write_text(
        'tr = QCoreApplication.translate\n'
        'NAMES = {"a": QT_TRANSLATE_NOOP("Words", "marked")}\n'
        'class View:\n'
        '    def show(self, n):\n'
        '        self.tr("plain"); self.tr("%n point(s)", "", n); tr("Keys", "by " "alias", "why")\n'
        '        QCoreApplication.translate("Words", NAMES["a"])\n'
    )  # fmt: skip
    monkeypatch.setattr(translations, "SOURCE", tmp_path)
    assert translations.texts() == sorted([
        translations.Text("Words", "marked"),
        translations.Text("View", "plain"),
        translations.Text("View", "%n point(s)", "", True),
        translations.Text("Keys", "by alias", "why"),
    ])  # fmt: skip


@pytest.mark.parametrize("line", ['self.tr(f"made of {part}")', 'view.tr("of whom")', 'self.tr("a" + part)'])
def test_what_nobody_can_translate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "view.py").write_text(f"class View:\n    def show(self, view, part):\n        {line}\n")
    monkeypatch.setattr(translations, "SOURCE", tmp_path)
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"view\.py:3"):
        translations.texts()
