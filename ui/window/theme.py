"""The panel's colours, fonts and style sheet: two themes, told as tokens that every view asks for.

Stem colours are those of the report, which `engine.roles` keeps; everything else that has a colour has it here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from ...engine.roles import PARTS
from ..base.topics import Topic

Name = Literal["dark", "light", "system"]
NAMES: tuple[Name, ...] = ("dark", "light", "system")
GRID, RADIUS = 8, 4  # px: what sizes and gaps are multiples of, and corners
BODY_PX, LIST_PX, TITLE_PX = 12, 11, 15  # px of type before `scale`
SLOWEST_MS = 120  # the longest that anything moves
_FILES = Path(__file__).parent / "files"  # shapes that style sheets take from files alone


@dataclass(frozen=True)
class Theme:
    """Colours as "#rrggbb".

    `ground`, `panel`, `raised` and `selected` are what text stands on; `text` to `fault` and the stems are read on all
    of them (WCAG AA, 4.5). `line` bounds what can be used and is seen at 3; `separator` only divides, and is no
    information. `primary` is the one button, `primary_text` what stands on it. `picture` lies round the film.
    """

    name: str
    dark: bool
    ground: str
    panel: str
    raised: str
    selected: str
    text: str
    quiet: str
    line: str
    separator: str
    good: str
    warning: str
    fault: str
    primary: str
    primary_text: str
    picture: str

    def stem(self, stem: str) -> str:
        """The colour of a stem or role: speech or dialogue, music, effects; the quiet text's for all others."""
        for role in PARTS:
            if stem in {role.stem, role.name}:
                return role.dark if self.dark else role.light
        return self.quiet

    @property
    def grounds(self) -> tuple[str, ...]:
        """What text stands on."""
        return (self.ground, self.panel, self.raised, self.selected)

    @property
    def texts(self) -> tuple[str, ...]:
        """What is read on them."""
        stems = tuple(self.stem(role.stem) for role in PARTS)
        return (self.text, self.quiet, self.good, self.warning, self.fault, *stems)


DARK = Theme(
    name="dark",
    dark=True,
    ground="#1b1c1f",
    panel="#232529",
    raised="#2c2f34",
    selected="#26303d",
    text="#e6e7ea",
    quiet="#9aa0a8",
    line="#767c85",
    separator="#3a3e45",
    good="#58b87a",
    warning="#e0b341",
    fault="#ea7a73",
    primary="#e6e7ea",
    primary_text="#1b1c1f",
    picture="#111214",
)
LIGHT = Theme(
    name="light",
    dark=False,
    ground="#f4f5f7",
    panel="#ffffff",
    raised="#eceef1",
    selected="#e3ecfa",
    text="#1c1e22",
    quiet="#5c636d",
    line="#7f858f",
    separator="#d5d9df",
    good="#1e7741",
    warning="#866000",
    fault="#b3261e",
    primary="#1c1e22",
    primary_text="#ffffff",
    picture="#1b1c1f",
)


@dataclass
class _Chosen:
    name: Name = "dark"
    theme: Theme = DARK
    scale: float = 1.0
    motion: bool = True
    followed: bool = False


changed: Topic[[]] = Topic()
_chosen = _Chosen()


def current() -> Theme:
    """The theme in use."""
    return _chosen.theme


def chosen() -> Name:
    """What was asked for: dark, light, or to follow the system."""
    return _chosen.name


def use(name: Name, *, scale: float | None = None) -> None:
    """Take a theme and, where given, another size of type; an application that runs is painted anew at once."""
    _chosen.name = name
    _chosen.theme = _meant(name)
    _chosen.scale = scale if scale is not None else _chosen.scale
    application = QApplication.instance()
    if isinstance(application, QApplication):
        _follow(application)
        _paint(application)
    changed.emit()


def motion(wanted: bool | None = None) -> bool:
    """Whether things may move; with an argument, say so first."""
    if wanted is not None:
        _chosen.motion = wanted
    return _chosen.motion


def _meant(name: Name) -> Theme:
    if name != "system":
        return LIGHT if name == "light" else DARK
    hints = QGuiApplication.styleHints() if QGuiApplication.instance() is not None else None
    return LIGHT if hints is not None and hints.colorScheme() == Qt.ColorScheme.Light else DARK


def _follow(application: QApplication) -> None:
    """Have the system's change between dark and light be ours, where we follow it."""
    if not _chosen.followed:
        _chosen.followed = True
        application.styleHints().colorSchemeChanged.connect(_system_changed)


def _system_changed(_scheme: object) -> None:
    if _chosen.name == "system" and _meant("system") != _chosen.theme:
        use("system")


def _paint(application: QApplication) -> None:
    application.setStyle("Fusion")
    application.setPalette(palette(_chosen.theme))
    application.setFont(body())
    application.setStyleSheet(style_sheet(_chosen.theme, _chosen.scale))


# ---- type -----------------------------------------------------------------------------------------------------------


def body() -> QFont:
    """The system's font at 12 px."""
    return _font(BODY_PX)


def small() -> QFont:
    """The system's font as lists have it, at 11 px."""
    return _font(LIST_PX)


def title() -> QFont:
    """The system's font for the few headings there are."""
    font = _font(TITLE_PX)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def mono(pixels: int = LIST_PX) -> QFont:
    """Figures of one width: the system's font with tabular figures where it has them, else the fixed one."""
    font = _font(pixels)
    if not _tabular(font.family()):
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(round(pixels * _chosen.scale))
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _font(pixels: int) -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(round(pixels * _chosen.scale))
    return font


@lru_cache
def _tabular(family: str) -> bool:
    """Whether a font's figures are of one width, by themselves or when asked for it."""
    from PySide6.QtGui import QFontMetricsF

    font = QFont(family)
    font.setPixelSize(48)
    font.setFeature(QFont.Tag("tnum"), 1)
    measure = QFontMetricsF(font)
    widths = {round(measure.horizontalAdvance(10 * figure), 1) for figure in "0123456789"}
    return len(widths) == 1


# ---- colour ---------------------------------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """How far two colours stand apart, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def dimmed(colour: str, ground: str, share: float = 0.5) -> str:
    """A colour drawn back towards what it stands on, for what is there but not heard."""
    mixed = (
        round(share * int(colour[i : i + 2], 16) + (1 - share) * int(ground[i : i + 2], 16))
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed)


def palette(theme: Theme) -> QPalette:
    """The theme as Qt's own widgets ask for it."""
    roles = QPalette.ColorRole
    found = QPalette()
    for role, colour in {
        roles.Window: theme.ground,
        roles.Base: theme.panel,
        roles.AlternateBase: theme.panel,
        roles.Button: theme.raised,
        roles.Mid: theme.separator,
        roles.Text: theme.text,
        roles.WindowText: theme.text,
        roles.ButtonText: theme.text,
        roles.BrightText: theme.text,
        roles.ToolTipBase: theme.raised,
        roles.ToolTipText: theme.text,
        roles.PlaceholderText: theme.quiet,
        roles.Highlight: theme.selected,
        roles.HighlightedText: theme.text,
        roles.Link: theme.text,
        roles.LinkVisited: theme.quiet,
        roles.Accent: theme.text,
    }.items():
        found.setColor(role, QColor(colour))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        found.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.line))
    return found


def style_sheet(theme: Theme, scale: float = 1.0) -> str:
    """The application's style sheet, made of the theme's tokens and nothing else."""
    sheet = _SHEET
    tokens = {
        **{name: getattr(theme, name) for name in theme.__dataclass_fields__},
        "body": f"{round(BODY_PX * scale)}px",
        "list": f"{round(LIST_PX * scale)}px",
        "title": f"{round(TITLE_PX * scale)}px",
        "radius": f"{RADIUS}px",
        "half": f"{GRID // 2}px",
        "grid": f"{GRID}px",
        "check": f"{round(12 * scale)}px",
        "files": _FILES.as_posix(),
    }
    for name in sorted(tokens, key=len, reverse=True):
        sheet = sheet.replace(f"@{name}", str(tokens[name]))
    return sheet


_SHEET = """
QWidget { font-size: @body; color: @text; }
QMainWindow, QDialog { background: @ground; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: @half; }
QFrame[role="panel"] { background: @panel; border: 1px solid @separator; border-radius: @radius; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: @title; font-weight: 600; }
QLabel[role="quiet"] { color: @quiet; }
QLabel[role="good"] { color: @good; }
QLabel[role="warning"] { color: @warning; }
QLabel[role="fault"] { color: @fault; }
QLabel[role="heading"] { color: @quiet; font-weight: 600; }
QAbstractScrollArea { background: @panel; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QAbstractItemView { background: @panel; color: @text; font-size: @list; border: none; outline: none;
  selection-background-color: @selected; selection-color: @text; }
QHeaderView::section { background: @panel; color: @quiet; border: none; border-bottom: 1px solid @separator;
  padding: @half; font-size: @list; }
QTextEdit, QPlainTextEdit, QLineEdit, QAbstractSpinBox, QComboBox { background: @raised; color: @text;
  border: 1px solid @line; border-radius: @radius; padding: 3px 6px; min-height: 16px;
  selection-background-color: @text; selection-color: @ground; }
QLineEdit:focus, QTextEdit:focus, QPlainTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {
  border: 1px solid @text; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { color: @line; border-color: @separator; }
QComboBox::drop-down { border: none; width: 18px; }
QComboBox::down-arrow { image: url(@files/down.png); width: 10px; height: 10px; margin-right: 6px; }
QComboBox QAbstractItemView { background: @raised; border: 1px solid @line; padding: 2px; }
QPushButton, QToolButton { background: @raised; color: @text; border: 1px solid @separator; border-radius: @radius;
  padding: 3px 8px; min-height: 16px; }
QToolButton { padding: 3px; }
QPushButton:hover, QToolButton:hover { border-color: @line; }
QPushButton:focus, QToolButton:focus { border-color: @text; }
QPushButton:pressed, QToolButton:pressed { background: @selected; }
QPushButton:checked, QToolButton:checked { background: @selected; border-color: @text; }
QPushButton:disabled, QToolButton:disabled { color: @line; background: transparent; }
QPushButton[flat="true"], QToolButton[role="flat"] { background: transparent; border-color: transparent; }
QPushButton[flat="true"]:hover, QToolButton[role="flat"]:hover { border-color: @separator; }
QPushButton[flat="true"]:focus, QToolButton[role="flat"]:focus { border-color: @text; }
QPushButton[role="primary"] { background: @primary; color: @primary_text; border-color: @primary; font-weight: 600;
  min-height: 24px; }
QPushButton[role="primary"]:focus { border: 2px solid @line; }
QPushButton[role="primary"]:disabled { background: @raised; color: @quiet; border-color: @separator; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: none; width: 0; }
QCheckBox, QRadioButton { spacing: 6px; background: transparent; }
QCheckBox::indicator, QRadioButton::indicator { width: @check; height: @check; border: 1px solid @line;
  background: @raised; }
QCheckBox::indicator { border-radius: 2px; }
QRadioButton::indicator { border-radius: 6px; }
QCheckBox::indicator:checked, QRadioButton::indicator:checked { background: @text; border-color: @text; }
QCheckBox::indicator:checked { image: url(@files/check-@name.png); }
QCheckBox:focus, QRadioButton:focus { color: @text; text-decoration: underline; }
QSlider { min-height: 18px; background: transparent; }
QSlider::groove:horizontal { height: 2px; background: @line; border-radius: 1px; }
QSlider::sub-page:horizontal { background: @text; border-radius: 1px; }
QSlider::handle:horizontal { width: 10px; margin: -5px 0; border-radius: 6px; background: @text;
  border: 1px solid @panel; }
QSlider::handle:horizontal:focus { border: 1px solid @text; background: @ground; }
QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled { background: @line; }
QMenuBar { background: @ground; color: @text; border-bottom: 1px solid @separator; }
QMenuBar::item { background: transparent; padding: 4px; }
QMenuBar::item:selected { background: @raised; }
QMenu { background: @raised; color: @text; border: 1px solid @line; padding: @half 0; }
QMenu::item { padding: 4px 24px 4px 20px; background: transparent; }
QMenu::item:selected { background: @selected; }
QMenu::item:disabled { color: @line; }
QMenu::separator { height: 1px; background: @separator; margin: @half 0; }
QSplitter::handle { background: @ground; }
QSplitter::handle:hover { background: @separator; }
QSplitter::handle:horizontal { width: @grid; }
QSplitter::handle:vertical { height: @grid; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: @separator; border-radius: 3px; margin: 2px; }
QScrollBar::handle:hover { background: @line; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: @raised; border: none; border-radius: 2px; max-height: 4px; min-height: 4px;
  text-align: center; color: transparent; }
QProgressBar::chunk { background: @text; border-radius: 2px; }
QTabBar::tab { background: transparent; color: @quiet; padding: 4px 8px; border: none;
  border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @text; }
QTabBar::tab:focus { color: @text; }
QTabWidget::pane { border: none; }
QStatusBar { background: @ground; color: @quiet; }
QStatusBar::item { border: none; }
"""
