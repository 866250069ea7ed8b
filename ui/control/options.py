"""The settings of the next job, as the panel has them: checked as they are made, and undone like everything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ...engine.errors import SettingsError, SightmixError
from ...plugin.jobs.defaults import Defaults, read_defaults
from ...plugin.jobs.settings import (
    ANEW,
    GROUPS,
    LIVE,
    LOUDNESS_KEEP,
    LOUDNESS_MODEL,
    SETTINGS,
    WRITTEN,
    JobSettings,
    Setting,
)
from ..base.asking import Engine
from ..base.topics import Topic
from .history import Deed, History

OFFERED = tuple(setting for setting in SETTINGS.values() if setting.group in GROUPS)
LEVELS = (LOUDNESS_KEEP, LOUDNESS_MODEL)  # ways to say how loud that are no figure
CPU, AUTO, _FIRST_GPU = "cpu", "auto", "cuda:0"
_LOUD = ("loudness", "delivery")  # two ways to say it: one is put back where the other is said
_MINUS = "\N{MINUS SIGN}"


def acting(acts: str) -> frozenset[str]:
    """Names of the settings that act so: at once (`LIVE`), with a new preview (`ANEW`) or in files (`WRITTEN`)."""
    return frozenset(setting.name for setting in OFFERED if setting.acts == acts)


def shown(setting: Setting, value: Any) -> str:
    """A value as a field shows it, with its unit: "80 %", "+2.0 dB", "12 frames"."""
    if setting.kind is bool:
        return "on" if value else "off"
    if setting.kind is str and not _is_number(setting, value):
        return str(value)
    if setting.share:
        return f"{value * 100:.0f} %"
    if setting.kind is int:
        return f"{value} {setting.unit}".rstrip()
    text = f"{value:+.1f}" if setting.unit == "dB" else f"{float(value):.1f}"
    if float(text) == 0.0:
        text = "0.0"
    return f"{text} {setting.unit}".rstrip().replace("-", _MINUS)


def read(setting: Setting, value: Any) -> Any:
    """The setting's value out of what was typed, or out of a value; raises SettingsError in the widget's words."""
    if setting.kind in (int, float) and isinstance(value, str):
        value = _number(setting, value)
    elif setting.kind is float and type(value) is int:
        value = float(value)
    if setting.kind is str and isinstance(value, str):
        value = value.strip().replace(_MINUS, "-")
        if setting.step:  # a word or a figure
            bare = value.removesuffix(setting.unit).strip().replace(",", ".")
            value = f"{float(bare):g}" if _is_number(setting, bare) else value
    if type(value) is not setting.kind:
        raise SettingsError(f"{setting.label} cannot be {value!r}.")
    return value


@dataclass(frozen=True)
class Choice:
    """Something a setting may be: its value, what it is called, and why it cannot be chosen or what to know."""

    value: str
    title: str
    reason: str = ""
    usable: bool = True


@dataclass(frozen=True)
class _State:
    """Values in force by name, what was typed that cannot be (the text and why), and the preset chosen last."""

    values: Mapping[str, Any]
    wrong: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    preset: str = ""

    def put(self, name: str, given: Any) -> _State:
        """The state with a setting changed; where it cannot be what is given, that is kept beside the old value."""
        wrong = {key: said for key, said in self.wrong.items() if key != name}
        values = dict(self.values)
        try:
            values[name] = read(SETTINGS[name], given)
            other = _other_way(name, values[name])
            if other:
                values[other] = SETTINGS[other].default
                wrong.pop(other, None)
            JobSettings(**values)
        except SettingsError as error:
            sentence = str(error).replace(SETTINGS[name].flag, SETTINGS[name].label)
            return replace(self, wrong={**wrong, name: (str(given), sentence)})
        return replace(self, values=values, wrong=wrong)


class Options:
    """What the next job is to do; `changed` tells the name of each setting that has become another.

    It begins with the user's defaults; `note` says why they cannot be used. A value that cannot be is kept as it was
    typed, with its sentence, while the last good one stays in force.
    """

    def __init__(self, history: History, defaults: Defaults | None = None) -> None:
        self.changed: Topic[[str]] = Topic()
        self.marked: Topic[[]] = Topic()  # another preset is the one chosen last
        self.offered: Topic[[str]] = Topic()  # there is something else to choose from for this setting
        self.note = ""
        self._history = history
        own: Mapping[str, Any] = {}
        try:
            own = (read_defaults() if defaults is None else defaults).settings
        except SettingsError as error:
            self.note = str(error)
        self.base: Mapping[str, Any] = MappingProxyType(asdict(replace(JobSettings(), **own)))
        self._state = _State(self.base)
        self._devices: tuple[Choice, ...] = ()
        self._auto = ""

    # What is set.

    def value(self, name: str) -> Any:
        """The value in force."""
        return self._state.values[name]

    def text(self, name: str) -> str:
        """What its field shows: the value with its unit, or what was typed where that cannot be."""
        wrong = self._state.wrong.get(name)
        return shown(SETTINGS[name], self.value(name)) if wrong is None else wrong[0]

    def fault(self, name: str) -> str:
        """Why what was typed cannot be; "" where it can."""
        return self._state.wrong.get(name, ("", ""))[1]

    @property
    def faults(self) -> tuple[str, ...]:
        """All that cannot be, a sentence each."""
        return tuple(sentence for _, sentence in self._state.wrong.values())

    def differs(self, name: str) -> bool:
        """Whether it is another than the user's default."""
        return name in self._state.wrong or self.value(name) != self.base[name]

    def settings(self) -> JobSettings:
        """The settings in force, on a device that can be used."""
        return JobSettings(**{**self._state.values, "device": self.device[0]})

    @property
    def differences(self) -> dict[str, Any]:
        """The values in force that are not the user's defaults, to be restored another time."""
        return {name: value for name, value in self._state.values.items() if value != self.base[name]}

    # What is done to it.

    def set(self, name: str, value: Any, *, dragged: bool = False) -> None:
        """Change a setting, by a value or by what was typed; what is `dragged` is undone as one, until `settle`."""
        after = self._state.put(name, value)
        setting = SETTINGS[name]
        words = after.wrong[name][0] if name in after.wrong else self.title(name, after.values[name])
        self._do(f"{setting.label} {words}".rstrip(), after, f"option {name}" if dragged else "")

    def settle(self) -> None:
        """The drag is over: the next change is one of its own."""
        self._history.close()

    def reset(self, name: str) -> None:
        """Put a setting back to the user's default, and with it the other way to say how loud."""
        after = self._state
        for one in _LOUD if name in _LOUD else (name,):
            after = after.put(one, self.base[one])
        self._do(f"Reset {SETTINGS[name].label}", after)

    def reset_all(self) -> None:
        """Put every setting back to the user's defaults."""
        self._do("Reset settings", _State(self.base))

    @property
    def preset(self) -> str:
        """The key of the preset that was chosen last; "" for none."""
        return self._state.preset

    def mark(self, preset: str) -> None:
        """Take what is set for a preset's, as one that was just saved; who calls this takes it back."""
        self._show(replace(self._state, preset=preset))

    def apply(self, values: Mapping[str, Any], name: str, preset: str = "") -> None:
        """Change several settings as one deed called `name`; the others stay as they are."""
        after = replace(self._state, preset=preset)
        for key, value in values.items():
            after = after.put(key, value)
        self._do(name, after)

    def _do(self, name: str, after: _State, key: str = "") -> None:
        before = self._state
        if after != before:
            self._history.do(Deed(name, lambda: self._show(after), lambda: self._show(before), key))

    def _show(self, state: _State) -> None:
        before, self._state = self._state, state
        for name in SETTINGS:
            was = before.values[name], before.wrong.get(name)
            if was != (state.values[name], state.wrong.get(name)):
                self.changed.emit(name)
        if state.preset != before.preset:
            self.marked.emit()

    def restore(self, values: Mapping[str, Any]) -> None:
        """Begin with the user's defaults and these `differences`; what cannot be is left out, and nothing is undone."""
        state = _State(self.base)
        for name in SETTINGS:
            if name in values:
                after = state.put(name, values[name])
                state = state if after.wrong else after
        self._show(state)

    # What there is to choose from.

    def choices(self, name: str) -> tuple[Choice, ...]:
        """What a setting may be, as far as that is a list; what is set is always in it."""
        made: Callable[[], tuple[Choice, ...]] | None = {
            "model": models,
            "delivery": deliveries,
            "device": self._all_devices,
            "context": lambda: contexts(str(self.value("model"))),
        }.get(name)
        if made is None:
            return tuple(Choice(value, value) for value in SETTINGS[name].choices)
        found = made()
        value = str(self.value(name))
        if name == "delivery":
            value = value.strip().lower()
        known = any(choice.value == value for choice in found)
        return found if known else (*found, Choice(value, value, "It is not known on this computer."))

    def title(self, name: str, value: Any) -> str:
        """What a value is called: the standard's name, the model's, or the value with its unit."""
        if name in ("delivery", "model"):
            return next((one.title for one in self.choices(name) if one.value == value), str(value))
        return shown(SETTINGS[name], value)

    def ask_devices(self, engine: Engine) -> None:
        """Ask the engine's process where it can run, unless it has said so; `offered` tells once it has."""
        if not self._devices:
            engine.ask("devices", {}, slot="devices", done=lambda data, _: self.tell_devices(data))

    def tell_devices(self, data: Mapping[str, Any]) -> None:
        """Where the engine can run, as `engine.devices.devices_data` says."""
        before = self.device[0]
        self._devices = tuple(
            Choice(str(one["key"]), str(one["name"]), str(one["reason"]), not one["reason"])
            for one in data["devices"]
        )
        self._auto = str(data["auto"])
        self.offered.emit("device")
        if self.device[0] != before:  # it will run somewhere else than was thought
            self.changed.emit("device")

    @property
    def device(self) -> tuple[str, str]:
        """Where the job will run, and a sentence where that is not what was chosen."""
        chosen = str(self.value("device"))
        if not self._devices:
            return chosen, ""
        if chosen == AUTO:
            # What "auto" is stays the engine's to choose, unless what it would choose cannot be used.
            broken = next((one for one in self._devices if one.value == _FIRST_GPU and not one.usable), None)
            return (AUTO, "") if broken is None else (CPU, f"{broken.reason} The CPU is used.")
        key = _FIRST_GPU if chosen == "cuda" else chosen
        found = next((one for one in self._devices if one.value == key), None)
        if found is not None and found.usable:
            return chosen, ""
        why = found.reason if found is not None else f"There is no {chosen} on this computer."
        return CPU, f"{why} The CPU is used."

    def device_title(self, value: str) -> str:
        """What a device is called; what "auto" will be, where that is known."""
        key = self._auto if value == AUTO else value
        return next((one.title for one in self._devices if one.value == key), key)

    def _all_devices(self) -> tuple[Choice, ...]:
        return (Choice(AUTO, self.device_title(AUTO) if self._auto else ""), *self._devices)


def deliveries() -> tuple[Choice, ...]:
    """The delivery specs by name, and what they ask for."""
    from ...exporters.delivery import specs

    return tuple(
        Choice(
            key,
            spec.title,
            f"{spec.target:g} LUFS, at most {spec.true_peak:g} dBTP; measured on the {spec.measure}.".replace(
                "-", _MINUS
            ),
        )
        for key, spec in specs().items()
    )


def contexts(model: str) -> tuple[Choice, ...]:
    """What a model can be told of the picture; what it was not trained with says so."""
    from ...engine.highlight.identity import CONTEXTS, encoder_for
    from ...engine.version import SHIPPED_MODEL
    from ...engine.weights.store import load_card

    found = []
    for context in CONTEXTS:
        reason = ""
        try:
            encoder_for(load_card(model or SHIPPED_MODEL), context)
        except SightmixError as error:
            reason = str(error)
        found.append(Choice(context, context, reason, not reason))
    return tuple(found)


def models() -> tuple[Choice, ...]:
    """The models that can rebalance, the bundled one ("") first; those whose weights are not here say so."""
    from ...engine.version import SHIPPED_MODEL
    from ...engine.weights.store import absent_message, find_file, list_cards

    try:
        cards = [
            c
            for c in list_cards()
            if c.kind == "highlight" and _product(c.config) and c.name != SHIPPED_MODEL
        ]
    except SightmixError as error:
        return (Choice("", SHIPPED_MODEL, str(error)),)
    others = []
    for card in cards:
        absent = find_file(card.file) is None
        facts = f"{card.size_text}, {card.licence}."
        others.append(Choice(card.name, card.name, absent_message(card) if absent else facts, not absent))
    return (Choice("", SHIPPED_MODEL), *others)


def _product(config: Mapping[str, Any]) -> bool:
    network = config.get("network", {})
    return isinstance(network, Mapping) and network.get("kind") == "product"


def _number(setting: Setting, text: str) -> float | int:
    unit = "%" if setting.share else setting.unit
    bare = text.strip().replace(_MINUS, "-").replace(",", ".").removesuffix(unit).strip()
    with suppress(ValueError, OverflowError):
        number = float(bare)
        scale = 100 if setting.share else 1
        low, high = ((setting.low or 0.0) * scale, (setting.high or 0.0) * scale)
        if number < low or number > high:
            raise SettingsError(f"{setting.label} {text.strip()} lies outside {_limits(setting)}.")
        if setting.kind is float and not math.isnan(number):
            return number / scale
        if setting.kind is int and number == int(number):
            return int(number)
    kind = "a whole number" if setting.kind is int else "a number"
    raise SettingsError(f"{setting.label} must be {kind} from {_limits(setting)}, not {text.strip()!r}.")


def _is_number(setting: Setting, value: Any) -> bool:
    """Whether a setting that may be a word or a figure is a figure."""
    with suppress(ValueError):
        return bool(setting.step) and math.isfinite(float(value))
    return False


def _other_way(name: str, value: Any) -> str:
    """Which setting no longer says how loud when this one does; "" for none."""
    if name == "loudness":
        return "delivery"
    return "loudness" if name == "delivery" and value else ""


def _limits(setting: Setting) -> str:
    return ("0 to 100 %" if setting.share else setting.limits).replace("-", _MINUS)


__all__ = ["ANEW", "LIVE", "OFFERED", "WRITTEN", "Choice", "Options", "acting", "read", "shown"]
