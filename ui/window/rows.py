"""A row of the inspector for each setting, made from what is declared of it: its widget, its help, its way back."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QWidget,
    QWidgetItem,
)

from ...engine.roles import PARTS
from ...plugin.jobs.settings import LOUDNESS_KEEP, LOUDNESS_MODEL, SETTINGS, Setting
from ..control.options import Choice, Options, deliveries, shown
from . import icons, theme, words
from .fields import Choices, Fader, Figure, Wrapped

_BACK = 20  # px
_LONGEST, _LONGEST_TARGET = (
    "\N{MINUS SIGN}60.0 dB",
    "\N{MINUS SIGN}23.0 LUFS",
)  # figures that are to be read whole
_STEMS = {role.name for role in PARTS}
FIGURE = "figure"  # a loudness that is none by a name
_USUAL = "-23"  # LUFS that a figure begins with


class Row(QWidget):
    """One setting: its label, `widgets`, a way back where it is changed, and why it cannot be what was typed."""

    def __init__(self, options: Options, *names: str) -> None:
        super().__init__()
        self.names, self.options = names, options
        self.setting: Setting = SETTINGS[names[0]]
        self.setObjectName(self.setting.key)
        self.label = QLabel(words.label(self.setting))
        self.back = QToolButton()
        self.back.setIcon(icons.icon("undo", "quiet"))
        self.back.setProperty("role", "flat")
        self.back.setFixedSize(_BACK, _BACK)
        self.back.clicked.connect(self.reset)
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.back.setSizePolicy(policy)
        self.fault = Wrapped("fault")
        self.place = QHBoxLayout()
        self.place.setSpacing(theme.GRID)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GRID // 2)
        grid.setVerticalSpacing(theme.GRID // 2)
        grid.addWidget(self.label, 0, 0)
        grid.addLayout(self.place, 0, 1)
        grid.addWidget(self.back, 0, 2)
        grid.addWidget(self.fault, 1, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def put(self, widget: QWidget, stretch: int = 0) -> None:
        """Add a widget that the setting is made with."""
        if self.place.count() == 0:
            self.label.setBuddy(widget)
            self.setFocusProxy(widget)
        widget.setAccessibleName(words.label(self.setting))
        self.place.addWidget(widget, stretch)

    def renew(self) -> None:
        """Show what is set."""
        changed = any(self.options.differs(name) for name in self.names)
        self.back.setVisible(changed)
        usual = [self.options.title(name, self.options.base[name]) for name in reversed(self.names)]
        was = next(filter(None, usual), "")  # a delivery spec goes before a loudness
        self.back.setToolTip(self.tr("Back to {value}").format(value=was or self.tr("the bundled one")))
        self.back.setAccessibleName(self.tr("Reset {name}").format(name=words.label(self.setting)))
        self.fault.say(next((f for name in self.names if (f := self.options.fault(name))), ""))
        tip = self._tip()
        for widget in (self.label, *self.widgets):
            widget.setToolTip(tip)
            widget.setAccessibleDescription(self.setting.help)

    @property
    def widgets(self) -> list[QWidget]:
        """What the setting is made with."""
        found = (self.place.itemAt(place) for place in range(self.place.count()))
        return [widget for item in found if item is not None and (widget := item.widget()) is not None]

    def measure(self, label: int) -> None:
        """Take the widths of the type of the moment: the label's is that of the longest of the column, in px."""
        self.label.setFixedWidth(label)

    @property
    def label_width(self) -> int:
        """How wide the label needs to be, in px; 0 where there is none."""
        self.label.ensurePolished()
        shown = not self.label.isHidden()
        return self.label.fontMetrics().horizontalAdvance(self.label.text()) + 2 if shown else 0

    @property
    def least_width(self) -> int:
        """How narrow it may be, in px."""
        layout = self.layout()
        assert layout is not None
        for one in (self.place, layout):
            one.invalidate()  # what has never been shown does not do so by itself
        return max(layout.totalMinimumSize().width(), self.minimumWidth())

    def reset(self) -> None:
        """Back to the user's default."""
        self.options.reset(self.names[0])

    def _tip(self) -> str:
        limits = self.setting.limits
        flags = ", ".join(SETTINGS[name].flag for name in self.names)
        return f"{self.setting.help}\n{f'{limits}  ' if limits else ''}{flags}"


class FigureRow(Row):
    """A setting that is a figure: a fader over what is usual, and a field for all that is allowed."""

    def __init__(self, options: Options, name: str) -> None:
        super().__init__(options, name)
        setting = self.setting
        low, high = setting.usual or (setting.low or 0.0, setting.high or 0.0)
        origin = 0.0 if setting.unit == "dB" or setting.kind is int or setting.share else high
        self.fader = Fader(low, high, setting.step, origin, name if name in _STEMS else "")
        self.figure = Figure()
        self.put(self.fader, 1)
        self.put(self.figure)
        self.fader.moved.connect(lambda figure: options.set(name, setting.kind(figure), dragged=True))
        self.fader.settled.connect(options.settle)
        self.fader.reset.connect(self.reset)
        self.figure.typed.connect(lambda text: options.set(name, text))
        self.figure.stepped.connect(self._step)
        self.figure.settled.connect(options.settle)

    def renew(self) -> None:
        """See `Row.renew`."""
        super().renew()
        name = self.names[0]
        self.fader.show_figure(self.options.value(name))
        self.figure.show_text(self.options.text(name), wrong=bool(self.options.fault(name)))

    def measure(self, label: int) -> None:
        """See `Row.measure`."""
        super().measure(label)
        text = shown(self.setting, self.setting.low)
        self.figure.fit(max(text, _LONGEST, key=self.figure.fontMetrics().horizontalAdvance))

    def _step(self, steps: int) -> None:
        setting, value = self.setting, self.options.value(self.names[0])
        figure = round((value + steps * setting.step) / setting.step) * setting.step
        figure = min(max(figure, setting.low or 0.0), setting.high or 0.0)
        self.options.set(self.names[0], setting.kind(round(figure, 6)), dragged=True)


class ChoiceRow(Row):
    """A setting that is one of several."""

    def __init__(self, options: Options, name: str) -> None:
        super().__init__(options, name)
        self.choices = Choices()
        self.put(self.choices, 1)
        self.choices.chosen.connect(lambda value: options.set(name, value))
        self.note = Wrapped("warning")
        layout = self.layout()
        if isinstance(layout, QGridLayout):
            layout.addWidget(self.note, 2, 0, 1, 3)

    def renew(self) -> None:
        """See `Row.renew`."""
        super().renew()
        name = self.names[0]
        offered = self.options.choices(name)
        self.choices.fill([(one, words.choice(name, one)) for one in offered])
        self.choices.show_value(str(self.options.value(name)))
        self.note.say(self._note(offered))

    def _note(self, offered: tuple[Choice, ...]) -> str:
        if self.names[0] == "device":
            return self.options.device[1]
        value = str(self.options.value(self.names[0]))
        return next((one.reason for one in offered if one.value == value and not one.usable), "")


class LoudnessRow(Row):
    """How loud: as it was, as the gains make it, by a delivery standard, or by a figure."""

    def __init__(self, options: Options) -> None:
        super().__init__(options, "loudness", "delivery")
        self.choices, self.figure = Choices(), Figure()
        self.put(self.choices, 1)
        self.put(self.figure)
        plain = [
            Choice(way, words.choice("loudness", Choice(way, way))) for way in (LOUDNESS_KEEP, LOUDNESS_MODEL)
        ]
        plain.append(Choice(FIGURE, self.tr("A figure")))
        specs = [(one, one.title) for one in deliveries()]
        self.choices.fill([*((one, one.title) for one in plain), None, *specs])
        self.choices.chosen.connect(self._choose)
        self.figure.typed.connect(lambda text: options.set("loudness", text))
        self.figure.stepped.connect(self._step)
        self.figure.settled.connect(options.settle)

    def renew(self) -> None:
        """See `Row.renew`."""
        super().renew()
        spec = str(self.options.value("delivery")).strip().lower()
        loudness = str(self.options.value("loudness")).strip().lower()
        named = loudness in (LOUDNESS_KEEP, LOUDNESS_MODEL) and not self.options.fault("loudness")
        self.choices.show_value(spec or (loudness if named else FIGURE))
        self.figure.setVisible(not spec and not named)
        self.figure.show_text(self.options.text("loudness"), wrong=bool(self.options.fault("loudness")))

    def measure(self, label: int) -> None:
        """See `Row.measure`."""
        super().measure(label)
        self.figure.fit(_LONGEST_TARGET)
        gaps = 2 * (theme.GRID // 2) + theme.GRID
        least = QWidgetItem(self.choices).minimumSize().width()  # with what the style sheet puts round it
        self.setMinimumWidth(label + least + self.figure.width() + _BACK + gaps)

    def _choose(self, value: str) -> None:
        if value in (LOUDNESS_KEEP, LOUDNESS_MODEL):
            self.options.set("loudness", value)
        elif value == FIGURE:
            target = self.options.settings().target_lufs
            self.options.set("loudness", _USUAL if target is None else f"{target:g}")
            self.figure.setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self.options.set("delivery", value)

    def _step(self, steps: int) -> None:
        target = self.options.settings().target_lufs
        if target is not None:
            step = self.setting.step
            self.options.set("loudness", f"{round(target / step + steps) * step:.1f}", dragged=True)


class SwitchRow(Row):
    """A setting that is on or off; one that is on by default says what switching it off does, as its flag."""

    def __init__(self, options: Options, name: str) -> None:
        super().__init__(options, name)
        self.switch = QCheckBox(words.label(self.setting))
        self.label.hide()
        self.put(self.switch, 1)
        self.switch.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.switch.clicked.connect(lambda on: options.set(name, on != self.setting.negative))

    def renew(self) -> None:
        """See `Row.renew`."""
        super().renew()
        self.switch.setChecked(bool(self.options.value(self.names[0])) != self.setting.negative)

    def _tip(self) -> str:
        return f"{self.setting.help}\n{self.setting.flag}"


def row_for(options: Options, setting: Setting) -> Row | None:
    """The row of a setting; None for one that shares another's."""
    made: Any = None
    if setting.name == "loudness":
        made = LoudnessRow(options)
    elif setting.kind is bool:
        made = SwitchRow(options, setting.name)
    elif setting.kind in (int, float):
        made = FigureRow(options, setting.name)
    elif setting.name != "delivery":
        made = ChoiceRow(options, setting.name)
    return made if isinstance(made, Row) else None
