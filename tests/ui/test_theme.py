"""Both themes can be read by everybody (WCAG AA), and are changed while the window is open."""

from __future__ import annotations

import re

import pytest
from pytestqt.qtbot import QtBot
from sightmix.engine.roles import PARTS
from sightmix.ui.window import theme

THEMES = [theme.DARK, theme.LIGHT]


@pytest.fixture(autouse=True)
def dark_again() -> object:
    yield
    theme.use("dark", scale=1.0)


@pytest.mark.parametrize("shown", THEMES, ids=lambda shown: shown.name)
def test_all_text_is_readable_on_all_it_stands_on(shown: theme.Theme) -> None:
    pairs = {(a, b): theme.contrast(a, b) for a in shown.texts for b in shown.grounds}
    assert {pair: round(ratio, 2) for pair, ratio in pairs.items() if ratio < 4.5} == {}
    assert theme.contrast(shown.primary_text, shown.primary) >= 4.5


@pytest.mark.parametrize("shown", THEMES, ids=lambda shown: shown.name)
def test_lines_are_seen(shown: theme.Theme) -> None:
    lines = [shown.line, *(shown.stem(role.stem) for role in PARTS)]
    assert {(a, b) for a in lines for b in shown.grounds if theme.contrast(a, b) < 3} == set()


def test_the_ratio_is_the_standard_s() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the known near miss
    assert theme.contrast("#ffffff", "#777777") == theme.contrast("#777777", "#ffffff")


def test_stems_have_the_report_s_colours() -> None:
    for role in PARTS:
        assert theme.DARK.stem(role.stem) == theme.DARK.stem(role.name) == role.dark
        assert theme.LIGHT.stem(role.stem) == role.light
    assert theme.DARK.stem("rest") == theme.DARK.quiet


@pytest.mark.parametrize("shown", THEMES, ids=lambda shown: shown.name)
def test_the_style_sheet_is_made_of_tokens_alone(shown: theme.Theme) -> None:
    assert re.findall("#[0-9a-f]{3,6}", theme._SHEET) == []
    sheet = theme.style_sheet(shown)
    assert "@" not in sheet
    colours = {getattr(shown, name) for name in theme.Theme.__dataclass_fields__}
    assert set(re.findall("#[0-9a-f]{6}", sheet)) <= colours


def test_another_theme_is_painted_at_once_and_told(qtbot: QtBot, qapp: object) -> None:
    from PySide6.QtGui import QPalette
    from PySide6.QtWidgets import QApplication

    told: list[str] = []
    leave = theme.changed.subscribe(lambda: told.append(theme.current().name))
    theme.use("light", scale=1.25)
    assert QApplication.palette().color(QPalette.ColorRole.Window).name() == theme.LIGHT.ground
    assert QApplication.font().pixelSize() == 15
    theme.use("dark", scale=1.0)
    leave()
    assert told == ["light", "dark"]
    assert QApplication.palette().color(QPalette.ColorRole.Window).name() == theme.DARK.ground


def test_figures_are_of_one_width(qapp: object) -> None:
    from PySide6.QtGui import QFontMetricsF

    measure = QFontMetricsF(theme.mono())
    assert len({round(measure.horizontalAdvance(figure), 2) for figure in "0123456789"}) == 1
