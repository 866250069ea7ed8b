"""Icons: every one has its glyph, and follows the theme where a button holds it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QImage
from sightmix.ui.window import icons, theme


@pytest.fixture(autouse=True)
def dark_again() -> object:
    yield
    theme.use("dark")


def inked(image: QImage) -> set[str]:
    """The colours of an image's opaque pixels."""
    where = [(x, y) for x in range(image.width()) for y in range(image.height())]
    return {image.pixelColor(*at).name() for at in where if image.pixelColor(*at).alpha() > 250}


def test_every_icon_paints_a_glyph_of_its_own(qapp: object) -> None:
    theme.use("dark")
    images = {name: icons.icon(name).pixmap(32, 32).toImage() for name in icons.NAMES}
    assert [name for name, image in images.items() if theme.DARK.text not in inked(image)] == []
    different = {bytes(image.constBits()) for image in images.values()}
    assert len(different) == len(set(icons.NAMES.values()))


def test_an_icon_follows_the_theme(qapp: object) -> None:
    theme.use("dark")
    held, speech = icons.icon("play"), icons.icon("play", "speech")
    before = (inked(held.pixmap(32, 32).toImage()), inked(speech.pixmap(32, 32).toImage()))
    theme.use("light")
    after = (inked(held.pixmap(32, 32).toImage()), inked(speech.pixmap(32, 32).toImage()))
    assert theme.DARK.text in before[0]
    assert theme.DARK.stem("speech") in before[1]
    assert theme.LIGHT.text in after[0]
    assert theme.LIGHT.stem("speech") in after[1]
    disabled = held.pixmap(QSize(32, 32), QIcon.Mode.Disabled).toImage()
    assert theme.LIGHT.line in inked(disabled)


def test_a_name_that_is_none_is_refused(qapp: object) -> None:
    with pytest.raises(KeyError):
        icons.icon("no such icon")


def test_without_the_font_qtawesome_is_asked(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(icons, "_font", lambda: ("", {}))
    assert not icons.icon("play").isNull()
    monkeypatch.setitem(sys.modules, "qtawesome", None)
    assert icons.icon("play").isNull()


def test_icons_do_not_import_qtawesome() -> None:
    lines = (
        "import sys; from PySide6.QtWidgets import QApplication; a = QApplication([]);"
        "from sightmix.ui.window.icons import icon; icon('play').pixmap(16, 16);"
        "print('qtawesome' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
