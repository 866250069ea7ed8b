"""Every setting of a rebalance job, declared once; flags, panel widgets and files derive from here."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ...engine.errors import SettingsError

if TYPE_CHECKING:
    from ...exporters.delivery import Spec


LIVE = "live"  # by the next block of what is being played
ANEW = "anew"  # once the network has heard it again
WRITTEN = "written"  # in the files alone
MIXED, LEVELLED, HEARD, PUT = "mix", "loudness", "model", "result"  # groups
GROUPS = (MIXED, LEVELLED, HEARD, PUT)


@dataclass(frozen=True)
class Setting:
    """What a flag or a widget needs to know about one setting: range, unit, choices and help.

    The help of something that is on by default says what switching it off does. `label` is what a widget says beside
    it, in a `group` with others in the order they are declared in, folded away where it is `advanced`. A slider goes
    in steps of `step` over what is `usual`, which need not be all that is allowed. `acts` says when a change is heard
    (`LIVE`, `ANEW` or `WRITTEN`). What is `local` belongs to one computer or one run, and in no preset.
    """

    name: str
    kind: type
    default: Any
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    label: str = ""
    group: str = ""
    step: float = 0.0
    usual: tuple[float, float] | None = None
    acts: str = WRITTEN
    advanced: bool = False
    local: bool = False

    @property
    def flag(self) -> str:
        """The setting as a command-line flag, which switches off what is on by default."""
        off = "no-" if self.negative else ""
        return f"--{off}{self.name.rstrip('_').replace('_', '-')}"

    @property
    def negative(self) -> bool:
        """Whether the flag switches off what is on."""
        return self.default is True

    @property
    def key(self) -> str:
        """The setting's name in files, which is that of its flag."""
        return self.flag.removeprefix("--")

    @property
    def share(self) -> bool:
        """Whether it is a part of a whole, which widgets show in per cent."""
        return not self.unit and (self.low, self.high) == (0.0, 1.0)

    @property
    def limits(self) -> str:
        """What it may be, from the lowest to the highest, in its unit; "" where there are no limits."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low:g} to {self.high:g}{f' {self.unit}' if self.unit else ''}"

    def check(self, value: Any) -> None:
        """Raise SettingsError, naming the flag and what it may be, unless `value` is allowed."""
        if self.choices and value not in self.choices:
            raise SettingsError(f"{self.flag} {value!r} is none of {', '.join(self.choices)}.")
        if self.kind in (int, float) and not self._inside(float(value)):
            raise SettingsError(f"{self.flag} {value} lies outside {self.limits}.")

    def _inside(self, value: float) -> bool:
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return math.isfinite(value) and low <= value <= high


def _setting(default: Any, help: str, unit: str = "", **facts: Any) -> Any:
    setting = Setting("", type(default), default, help, unit, **facts)
    return field(default=default, metadata={"setting": setting})


LOUDNESS_KEEP, LOUDNESS_MODEL = "keep", "model"
PROGRAMME, CLIP = "programme", "clip"
UNITS = (PROGRAMME, CLIP)
STYLES = ("repair", "full")
AUTO, BAKED, KEYFRAMES, BOTH, STEM_FILES = "auto", "baked", "keyframes", "both", "stems"
FORMS = (AUTO, KEYFRAMES, BAKED, BOTH, STEM_FILES)
OWN, PLAIN = "own", "plain"
DIALECTS = (OWN, PLAIN)
TARGET_LOW, TARGET_HIGH = -60.0, -5.0  # LUFS
_TRIM = (-24.0, 12.0)  # dB of a fader that can be aimed


@dataclass(frozen=True)
class JobSettings:
    """The settings of one rebalance job; raises SettingsError when one has a value it cannot have."""

    unit: str = _setting(
        PROGRAMME,
        "What is balanced: the programme, with its tracks as stems, or every clip by itself as a mix of its own.",
        choices=UNITS,
        label="Balance",
        group=MIXED,
        acts=ANEW,
        advanced=True,
    )
    style: str = _setting(
        "repair",
        "How far gains go: as far as the levels of good films ask for, or all the way the model says.",
        choices=STYLES,
        label="Style",
        group=MIXED,
        acts=LIVE,
    )
    strength: float = _setting(
        1.0,
        "Dry to wet: 0 leaves the sound as it is, 1 applies the whole rebalance.",
        low=0.0,
        high=1.0,
        label="Strength",
        group=MIXED,
        step=0.01,
        acts=LIVE,
    )
    dialogue: float = _setting(
        0.0,
        "Extra gain on speech.",
        "dB",
        low=-60.0,
        high=24.0,
        label="Dialogue",
        group=MIXED,
        step=0.5,
        usual=_TRIM,
        acts=LIVE,
    )
    music: float = _setting(
        0.0,
        "Extra gain on music.",
        "dB",
        low=-60.0,
        high=24.0,
        label="Music",
        group=MIXED,
        step=0.5,
        usual=_TRIM,
        acts=LIVE,
    )
    effects: float = _setting(
        0.0,
        "Extra gain on effects and ambience.",
        "dB",
        low=-60.0,
        high=24.0,
        label="Effects",
        group=MIXED,
        step=0.5,
        usual=_TRIM,
        acts=LIVE,
    )
    loudness: str = _setting(
        LOUDNESS_KEEP,
        "Loudness of all that will sound together: 'keep' leaves the programme as loud as it was, 'model' as the "
        "gains make it, or a LUFS figure such as -23 (EBU R 128), -24 (ATSC A/85) or -27.",
        "LUFS",
        label="Loudness",
        group=LEVELLED,
        step=0.1,
        acts=LIVE,
    )
    delivery: str = _setting(
        "",
        "Meet a delivery spec by name, such as ebu-r128: its loudness and its true peak.",
        "SPEC",
        label="Delivery",
        group=LEVELLED,
        acts=LIVE,
    )
    true_peak: float = _setting(
        -1.0,
        "Highest true peak allowed.",
        "dBTP",
        low=-20.0,
        high=0.0,
        label="True peak",
        group=LEVELLED,
        step=0.1,
        usual=(-6.0, 0.0),
        acts=LIVE,
        advanced=True,
    )
    context: str = _setting(
        "auto",
        "What the model is told about the picture.",
        choices=("auto", "none", "frames", "clip", "captions"),
        label="Picture",
        group=HEARD,
        acts=ANEW,
    )
    model: str = _setting(
        "",
        "Model by name (see 'sightmix models'); the bundled one when not given.",
        label="Model",
        group=HEARD,
        acts=ANEW,
    )
    handles: int = _setting(
        12,
        "Sound rendered before and after each clip where its media has it.",
        "frames",
        low=0,
        high=1000,
        label="Handles",
        group=PUT,
        step=1.0,
        usual=(0.0, 100.0),
        advanced=True,
    )
    stems: bool = _setting(
        False,
        "Also write speech, music and effects stems, which sum to the result.",
        label="Stems",
        group=PUT,
        advanced=True,
    )
    as_: str = _setting(
        AUTO,
        "How the result goes on the timeline: your own clips under volume curves, and new sound for mixes (auto); "
        "curves for all, mixes as three stems (keyframes); new sound for all, in one file per clip (baked) or per "
        "stem (stems); or baked with the curves muted beside it (both).",
        choices=FORMS,
        label="Result",
        group=PUT,
        advanced=True,
    )
    dialect: str = _setting(
        OWN,
        "How an .otio is written: your own file with new tracks in its program's words, or plain, for readers that "
        "place files and know nothing else, with curves rendered and muted tracks left out.",
        choices=DIALECTS,
        label="File",
        group=PUT,
        advanced=True,
    )
    keep_originals: bool = _setting(
        False,
        "Leave the original audio clips on: they sound under the result.",
        label="Keep originals on",
        group=PUT,
        advanced=True,
    )
    device: str = _setting(
        "auto",
        "Where the model runs: auto, cpu, cuda or cuda:N.",
        label="Device",
        group=HEARD,
        acts=ANEW,
        local=True,
    )
    detect_cuts: bool = _setting(
        False,
        "For a plain media file: find its cuts first (needs PySceneDetect).",
        label="Find cuts",
        group=HEARD,
        acts=ANEW,
        advanced=True,
        local=True,
    )
    cache: bool = _setting(
        True,
        "Render anew even what an earlier run has left.",
        label="Render anew",
        group=PUT,
        advanced=True,
        local=True,
    )

    def __post_init__(self) -> None:
        for setting in SETTINGS.values():
            setting.check(getattr(self, setting.name))
        self.target_lufs  # noqa: B018  (reads the text once, so that a wrong one fails here)
        if self.spec is not None and not self.keeps_loudness:
            raise SettingsError(
                f"--delivery {self.delivery} and --loudness {self.loudness} both say how loud; give one of them."
            )
        _check_device(self.device)

    @property
    def target_lufs(self) -> float | None:
        """The programme loudness asked for in LUFS; None to keep it, or to leave it to the model."""
        spec = self.spec
        if spec is not None:
            return spec.target
        text = self.loudness.strip().lower()
        if text in (LOUDNESS_KEEP, LOUDNESS_MODEL):
            return None
        try:
            target = float(text)
        except ValueError:
            target = math.nan
        if not TARGET_LOW <= target <= TARGET_HIGH:
            raise SettingsError(
                f"--loudness {self.loudness!r} is neither 'keep' nor 'model' nor a figure "
                f"from {TARGET_LOW:g} to {TARGET_HIGH:g} LUFS."
            )
        return target

    @property
    def spec(self) -> Spec | None:
        """The delivery spec to be met; raises SettingsError for one that is not known."""
        if not self.delivery:
            return None
        from ...exporters.delivery import find_spec

        return find_spec(self.delivery)

    @property
    def ceiling(self) -> float:
        """The highest true peak allowed in dBTP, by the settings and by the delivery spec."""
        spec = self.spec
        return self.true_peak if spec is None else min(self.true_peak, spec.true_peak)

    @property
    def keeps_loudness(self) -> bool:
        """Whether what sounds is to be as loud as it was, where no delivery spec says otherwise."""
        return self.loudness.strip().lower() == LOUDNESS_KEEP

    @property
    def whole(self) -> bool:
        """Whether the programme is balanced, and not every clip by itself."""
        return self.unit == PROGRAMME

    @property
    def keyframed(self) -> bool:
        """Whether stems before their gains are wanted, to go with curves."""
        return self.as_ in (KEYFRAMES, BOTH)

    @property
    def with_stems(self) -> bool:
        """Whether stems of any kind are written."""
        return self.stems or self.keyframed or self.as_ == STEM_FILES

    def to_dict(self) -> dict[str, object]:
        """Return the settings as plain values, for reports and the result's metadata."""
        return {name.rstrip("_"): value for name, value in asdict(self).items()}


SETTINGS: dict[str, Setting] = {
    f.name: Setting(**{**vars(f.metadata["setting"]), "name": f.name}) for f in fields(JobSettings)
}


def refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise SettingsError with the nearest name for one that is not among the known ones; `what` they are."""
    names = list(known)
    for name in given:
        if name not in names:
            from ...engine.weights.card import nearest

            raise SettingsError(f"There is no {what} {name!r}{nearest(name, names)}.")


def _check_device(text: str) -> None:
    kind, colon, number = text.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise SettingsError(f"--device {text!r} is none of auto, cpu, cuda or cuda:N.")
