"""Icons: glyphs of the Phosphor font that qtawesome brings, painted in the theme's colours of that moment.

qtawesome itself takes 0.35 s to import and 0.1 s to its first icon, since it loads eleven fonts; the one font that is
used here takes 0.015 s. Its own interface is asked only where the font lies elsewhere.
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from . import theme

LOG = logging.getLogger(__name__)

# What the panel calls its icons, and Phosphor's names of them.
NAMES = {
    "add": "plus",
    "back": "caret-left-fill",
    "cancel": "x-circle",
    "check": "check-circle",
    "close": "x",
    "copy": "copy",
    "demo": "film-strip",
    "down": "caret-down",
    "draw": "pencil-simple",
    "drawer": "list",
    "edit": "pencil-simple",
    "export": "export",
    "fault": "warning-circle",
    "filter": "funnel",
    "find": "magnifying-glass",
    "foley": "sparkle",
    "forward": "caret-right-fill",
    "help": "question",
    "info": "info",
    "keys": "keyboard",
    "loop": "repeat",
    "music": "music-notes",
    "mute": "speaker-slash",
    "next": "skip-forward",
    "offline": "link-break",
    "open": "folder-open",
    "pause": "pause-fill",
    "play": "play-fill",
    "previous": "skip-back",
    "queue": "queue",
    "recent": "clock",
    "redo": "arrow-clockwise",
    "remove": "minus",
    "residual": "eye",
    "right": "caret-right",
    "save": "floppy-disk",
    "settings": "gear",
    "share": "share-network",
    "sliders": "sliders-horizontal",
    "solo": "headphones",
    "sound": "speaker-high",
    "stop": "stop-fill",
    "swap": "swap",
    "trash": "trash",
    "undo": "arrow-counter-clockwise",
    "up": "caret-up",
    "warning": "warning",
}
_SHARE = 0.9  # of the icon's height that the font's size is


def icon(name: str, colour: str = "text") -> QIcon:
    """An icon by its name in `NAMES`; `colour` is a token of the theme or a stem.

    It follows the theme by itself, also where a button holds it. Raises KeyError for a name that is none.
    """
    glyph = NAMES[name]
    family, glyphs = _font()
    if not family:
        return _from_qtawesome(glyph, colour)
    return QIcon(_Glyph(family, glyphs[glyph], colour))


def pixmap(name: str, size: int = 16, colour: str = "text", ratio: float = 1.0) -> QPixmap:
    """The same as a picture of `size` logical pixels, for labels; to be asked for again when the theme changes."""
    return icon(name, colour).pixmap(QSize(size, size), ratio)


@lru_cache
def _font() -> tuple[str, dict[str, str]]:
    """The font's family and its glyphs by name; "" where qtawesome keeps it somewhere else."""
    spec = find_spec("qtawesome")
    folders = [Path(place) / "fonts" for place in (spec.submodule_search_locations or ())] if spec else []
    for folder in folders:
        fonts = sorted(folder.glob("phosphor-[0-9]*.ttf"))
        maps = sorted(folder.glob("phosphor-charmap-*.json"))
        if not (fonts and maps):
            continue
        families = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(fonts[-1])))
        named = json.loads(maps[-1].read_text(encoding="utf-8"))
        if families and all(glyph in named for glyph in NAMES.values()):
            return families[0], {glyph: chr(int(named[glyph], 16)) for glyph in NAMES.values()}
    return "", {}


def _from_qtawesome(glyph: str, colour: str) -> QIcon:
    try:
        import qtawesome

        found = qtawesome.icon(f"ph.{glyph}", color=_colour(colour))
    except Exception as error:  # noqa: BLE001  (a button without its icon still has its words)
        LOG.info("no icon %s: %s", glyph, error)
        return QIcon()
    return found if isinstance(found, QIcon) else QIcon()


def _colour(name: str) -> str:
    shown = theme.current()
    return str(getattr(shown, name)) if name in shown.__dataclass_fields__ else shown.stem(name)


class _Glyph(QIconEngine):
    """Paints one glyph, at any size and sharp on every screen."""

    def __init__(self, family: str, glyph: str, colour: str) -> None:
        super().__init__()
        self._family, self._glyph, self._token = family, glyph, colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:  # noqa: ARG002
        """Paint it into `rect`."""
        font = QFont(self._family)
        font.setPixelSize(max(1, round(_SHARE * rect.height())))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(font)
        painter.setPen(QColor(theme.current().line if mode is QIcon.Mode.Disabled else _colour(self._token)))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._glyph)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """A picture of it, `size` in device pixels."""
        found = QPixmap(size)
        found.fill(Qt.GlobalColor.transparent)
        painter = QPainter(found)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return found

    def clone(self) -> QIconEngine:
        """Another that paints the same."""
        return _Glyph(self._family, self._glyph, self._token)
