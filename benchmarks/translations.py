"""Brings the panel's translations up to date with its source: `make translations`.

Every text that the window shows is found in the source, missing ones are added to the .ts files as unfinished, those
that are gone are dropped, and the .qm files are made anew by Qt's lrelease. The .ts files are Qt's own format, which
Linguist opens. Qt's lupdate does not follow `tr = QCoreApplication.translate`, and so would lose half of the texts.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "ui" / "window"
FOLDER = ROOT / "ui" / "translations"
LANGUAGES = {"de": 2, "en": 2}  # with how many numerus forms; English has its plurals alone
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'


@dataclass(frozen=True, order=True)
class Text:
    """A text of the window's: where it belongs, what it says, what tells it from another, whether it counts."""

    context: str
    source: str
    comment: str = ""
    counts: bool = False


def texts() -> list[Text]:
    """Every text in the window's source; raises ValueError, naming the line, for one that nobody can translate."""
    found = {text for path in sorted(SOURCE.rglob("*.py")) for text in _Reader(path).read()}
    return sorted(found)


class _Reader(ast.NodeVisitor):
    def __init__(self, path: Path) -> None:
        self._path = path
        self._classes: list[str] = []
        self._found: list[Text] = []
        self._aliases = {"translate", "QT_TRANSLATE_NOOP"}  # called with a context and a text

    def read(self) -> list[Text]:
        tree = ast.parse(self._path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and ast.unparse(node.value) == "QCoreApplication.translate":
                self._aliases |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        self.visit(tree)
        return self._found

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._classes.append(node.name)
        self.generic_visit(node)
        self._classes.pop()

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        called = ast.unparse(node.func)
        if called in self._aliases or called == "QCoreApplication.translate":
            self._take(node, node.args[0], node.args[1:])
        elif called.endswith(".tr"):
            if called != "self.tr" or not self._classes:
                raise self._error(
                    node, f"{called}(): nobody knows its context; write QCoreApplication.translate"
                )
            self._take(node, ast.Constant(self._classes[-1]), node.args)

    def _take(self, node: ast.Call, context: ast.expr, given: list[ast.expr]) -> None:
        """Note a text; one that is marked for translation where it stands is looked up by a name here."""
        if any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in (context, given[0])):
            raise self._error(node, "only texts as they stand can be translated")
        if isinstance(context, ast.Constant) and isinstance(given[0], ast.Constant):
            comment = given[1].value if len(given) > 1 and isinstance(given[1], ast.Constant) else ""
            self._found.append(
                Text(str(context.value), str(given[0].value), str(comment or ""), len(given) > 2)
            )

    def _error(self, node: ast.AST, why: str) -> ValueError:
        return ValueError(f"{self._path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {why}")


def translations(path: Path) -> dict[Text, tuple[str, ...]]:
    """A .ts file's translations, () for one that is unfinished; several for what counts."""
    if not path.is_file():
        return {}
    found = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        name = context.findtext("name") or ""
        for message in context.iter("message"):
            counts = message.get("numerus") == "yes"
            given = message.find("translation")
            assert given is not None
            forms = [form.text or "" for form in given.iter("numerusform")] if counts else [given.text or ""]
            done = given.get("type") != "unfinished" and all(forms)
            text = Text(name, message.findtext("source") or "", message.findtext("comment") or "", counts)
            found[text] = tuple(forms) if done else ()
    return found


def written(language: str, known: dict[Text, tuple[str, ...]]) -> str:
    """A .ts file: the texts of now with what is known of them."""
    lines = [f'<TS version="2.1" language="{language}" sourcelanguage="en">']
    of_now = [text for text in texts() if text.counts or language != "en"]
    for context in sorted({text.context for text in of_now}):
        lines += ["<context>", f"    <name>{escape(context)}</name>"]
        for text in of_now:
            if text.context == context:
                lines += list(_message(text, known.get(text, ()), LANGUAGES[language]))
        lines.append("</context>")
    return HEAD + "\n".join([*lines, "</TS>", ""])


def _message(text: Text, forms: tuple[str, ...], count: int) -> Iterator[str]:
    kind = "" if forms else ' type="unfinished"'
    yield '    <message numerus="yes">' if text.counts else "    <message>"
    yield f"        <source>{escape(text.source)}</source>"
    if text.comment:
        yield f"        <comment>{escape(text.comment)}</comment>"
    if text.counts:
        inner = "".join(f"<numerusform>{escape(form)}</numerusform>" for form in forms or ("",) * count)
        yield f"        <translation{kind}>{inner}</translation>"
    else:
        yield f"        <translation{kind}>{escape(forms[0] if forms else '')}</translation>"
    yield "    </message>"


def release(path: Path) -> None:
    """Make a .ts file's .qm by Qt's own tool, which lies in PySide6's folder."""
    import PySide6

    tool = shutil.which("lrelease", path=str(Path(PySide6.__file__).parent))
    if tool is None:
        raise FileNotFoundError("PySide6 has no lrelease: install PySide6-Essentials anew")
    subprocess.run([tool, "-silent", str(path), "-qm", str(path.with_suffix(".qm"))], check=True)


def main() -> int:
    """Bring all of them up to date, and say what is still to be translated."""
    left = 0
    FOLDER.mkdir(exist_ok=True)
    for language in LANGUAGES:
        path = FOLDER / f"sightmix_{language}.ts"
        path.write_text(written(language, translations(path)), encoding="utf-8", newline="\n")
        release(path)
        unfinished = [text for text, forms in translations(path).items() if not forms]
        left += len(unfinished)
        print(f"{path.name}: {len(translations(path))} texts, {len(unfinished)} to be translated")
        for text in unfinished:
            print(f"    {text.context}: {text.source!r}")
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())
