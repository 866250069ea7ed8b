"""Export of a result: what can be written for whom, what that will lack, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from ...engine.legible import legible
from ...engine.roles import DELIVERED
from ...exporters.programs import PROGRAMS, RESULT, STEMS, STEMS_STEPS, Program, programs_for
from ..base.asking import Engine, Failure, Ticket
from ..base.source import Source
from ..base.topics import Topic

IDLE, WORKING = "idle", "working"
OK, OUT, ADVISED = "ok", "out", "advised"  # what a row of a check comes to


@dataclass(frozen=True)
class Target:
    """One thing that can be exported: for a program, or a format for whoever reads it.

    `to` is a format's key, RESULT (the result is that file already) or STEMS. `title` is the program or the format,
    `form` what the format is called, or who reads it; `keyframes` how gain curves arrive ("yes", "baked", "comments",
    "no"), `lacks` what it never holds, a sentence each.
    """

    key: str
    to: str
    title: str
    form: str
    suffix: str
    keyframes: str
    lacks: tuple[str, ...] = ()
    program: Program | None = None


@dataclass(frozen=True)
class StemChoice:
    """How stems are written: the options of `exporters.stems.StemOptions`; the delivery spec by name, "" for none."""

    project: str = ""
    reel: str = ""
    stems: tuple[str, ...] = DELIVERED
    per: str = "timeline"
    interleaved: bool = True
    delivery: str = ""

    def options(self) -> dict[str, Any]:
        """The options as an export is asked for them; all stems means: all that can be made."""
        return {
            "project": self.project.strip(),
            "reel": self.reel.strip(),
            "stems": [] if set(self.stems) == set(DELIVERED) else list(self.stems),
            "per": self.per,
            "interleaved": self.interleaved,
            "delivery": self.delivery,
        }


@dataclass(frozen=True)
class CheckRow:
    """A figure held against a delivery spec; `measured` None where there was nothing to measure."""

    file: str
    figure: str
    measured: float | None
    wanted: str
    unit: str
    verdict: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> CheckRow:
        """A row as the engine's process tells it."""
        passed, advice = bool(data["passed"]), bool(data["advice"])
        verdict = OK if passed else ADVISED if advice else OUT
        return cls(data["file"], data["figure"], data["measured"], data["wanted"], data["unit"], verdict)

    @property
    def shown(self) -> str:
        """The figure as text, "" where there is none: two decimals for levels, whole numbers as they are."""
        if self.measured is None:
            return ""
        levels = self.unit in ("LUFS", "LU", "dBTP")
        return (f"{self.measured:.2f}" if levels else f"{self.measured:g}").replace("-", "−")


@dataclass(frozen=True)
class Written:
    """What an export wrote: where, which files, what it lacks, and what a delivery spec says of it."""

    target: Target
    out: Path
    files: tuple[Path, ...]
    losses: tuple[str, ...] = ()
    rows: tuple[CheckRow, ...] = ()

    @property
    def hints(self) -> tuple[tuple[str, str, str], ...]:
        """How to bring it into programs: title, what to do there, what is to be known; the one it is for first.

        What is the same in all of them has no title.
        """
        if self.target.to == STEMS:
            return (("", STEMS_STEPS, ""),)
        own = self.target.program
        ordered = sorted(programs_for(self.target.to), key=lambda program: program is not own)
        return tuple((program.title, program.hint(self.out.name), program.note) for program in ordered)


@dataclass(frozen=True)
class Checked:
    """A check of delivered files: which spec, and its rows."""

    delivery: str
    rows: tuple[CheckRow, ...]

    @property
    def met(self) -> bool:
        """Whether nothing that the spec enforces is out."""
        return not any(row.verdict == OUT for row in self.rows)


@dataclass(frozen=True)
class Motion:
    """How far the work is: a stage's name, what it works on, and 0 to 1 (None where nobody knows)."""

    stage: str = ""
    item: str = ""
    share: float | None = None


@dataclass
class _Wishes:
    """What was chosen, kept while another result is shown."""

    target: str = PROGRAMS[0].key
    stems: StemChoice = field(default_factory=StemChoice)
    embed: bool = False


@cache
def targets() -> tuple[Target, ...]:
    """Everything that can be exported: for every program what it takes best, stems, then formats nobody asked for."""
    from ...exporters.formats import FORMATS, find

    def made(key: str, to: str, title: str, program: Program | None = None) -> Target:
        if to == RESULT:
            return Target(key, to, title, "OpenTimelineIO", ".otio", "yes", (), program)
        form = find(to)
        called = form.title if program is not None else form.hosts
        return Target(key, to, title, called, form.suffix, form.keyframes, form.lacks, program)

    named = [made(program.key, program.to[0], program.title, program) for program in PROGRAMS]
    taken = {target.to for target in named}
    stems = Target(STEMS, STEMS, "", "BWF", ".wav", "baked")
    others = [made(f"format:{form.key}", form.key, form.title) for form in FORMATS if form.key not in taken]
    return (*named, stems, *others)


@cache
def deliveries() -> tuple[tuple[str, str], ...]:
    """The delivery specs there are: key and title."""
    from ...exporters.delivery import specs

    return tuple((spec.key, spec.title) for spec in specs().values())


class Exporting:
    """Writes a result for other programs, and checks what was delivered.

    `changed` tells that anything a view shows has changed, `moved` how far the work is, `wrote` what was written,
    `checked` what a check said, `failed` why there is nothing. `exists` looks whether a path is there.
    """

    def __init__(self, engine: Engine, exists: Callable[[Path], bool] = Path.exists) -> None:
        self.changed: Topic[[]] = Topic()
        self.moved: Topic[[Motion]] = Topic()
        self.wrote: Topic[[Written]] = Topic()
        self.checked: Topic[[Checked]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self.source: Source | None = None
        self.is_result = True
        self.state = IDLE
        self.motion = Motion()
        self.result: Written | None = None
        self.check_result: Checked | None = None
        self.failure: Failure | None = None
        self.lacking: tuple[str, ...] | None = None
        self._engine, self._exists = engine, exists
        self._wishes = _Wishes()
        self._out: Path | None = None
        self._ours: set[Path] = set()
        self._ticket: Ticket | None = None
        self._looking = False

    # What is exported, and how.

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everything that can be exported."""
        return targets()

    @property
    def deliveries(self) -> tuple[tuple[str, str], ...]:
        """The delivery specs there are: key and title."""
        return deliveries()

    def look(self, looking: bool) -> None:
        """Somebody looks at the page, or no longer: what an export will lack is found out only for who looks."""
        self._looking = looking
        if looking and self.lacking is None:
            self._look_ahead()

    def show(self, source: Source | None, is_result: bool = True) -> None:
        """Export this from now on: a result, or a timeline that nothing was done to yet."""
        if (source, is_result) == (self.source, self.is_result):
            return
        self.source, self.is_result, self._out = source, is_result, None
        self.result = self.check_result = self.failure = None
        self._look_ahead()
        self.changed.emit()

    @property
    def target(self) -> Target:
        """What was chosen."""
        return next(target for target in self.targets if target.key == self._wishes.target)

    @property
    def stems(self) -> StemChoice:
        """How stems are to be written."""
        return self._wishes.stems

    @property
    def embed(self) -> bool:
        """Whether the sound goes into the AAF."""
        return self._wishes.embed

    @property
    def can_embed(self) -> bool:
        """Whether the format can hold the sound itself."""
        return self.target.to == "aaf"

    @property
    def ready(self) -> bool:
        """Whether an export can begin now."""
        return self.source is not None and self.state == IDLE and self.target.to != RESULT and self._whole

    @property
    def _whole(self) -> bool:
        return self.target.to != STEMS or bool(self.stems.stems)

    @property
    def out(self) -> Path | None:
        """The file that will be written, or the folder of stems; of a result that is one already, the result."""
        if self.source is None:
            return None
        if self.target.to == RESULT:
            return self.source.path
        return self._wanted if self.target.to == STEMS else self._free(self._wanted)

    @property
    def stepped_aside(self) -> Path | None:
        """What is in the way of the file that was asked for, so that another name is taken."""
        if self.source is None or self.target.to in (RESULT, STEMS):
            return None
        return self._wanted if self._wanted != self.out else None

    def choose(self, key: str) -> None:
        """Export for this program, or in this format."""
        if key == self._wishes.target:
            return
        next(target for target in self.targets if target.key == key)
        self._wishes.target, self._out = key, None
        self.result = self.failure = None
        self._look_ahead()
        self.changed.emit()

    def write_to(self, out: Path | None) -> None:
        """Write there; None for beside the result. A file that this panel did not write is never replaced: the next
        free name beside it is taken.
        """
        if out is not None and self.target.to != STEMS and not out.suffix:
            out = out.with_name(out.name + self.target.suffix)
        self._out = out
        self.changed.emit()

    def set_stems(self, **wishes: Any) -> None:
        """Change how stems are written: fields of `StemChoice` by name."""
        if "stems" in wishes:
            wishes["stems"] = tuple(stem for stem in DELIVERED if stem in wishes["stems"])
        changed = replace(self._wishes.stems, **wishes)
        if changed != self._wishes.stems:
            self._wishes.stems = changed
            self.changed.emit()

    def set_embed(self, wanted: bool) -> None:
        """Put the sound into the AAF, or beside it."""
        if wanted != self._wishes.embed:
            self._wishes.embed = wanted
            self.changed.emit()

    # The work.

    def start(self) -> None:
        """Write what was chosen; does nothing where that is not possible now."""
        source, out = self.source, self.out
        if source is None or out is None or not self.ready:
            return
        target = self.target
        self._begin()
        self._ticket = self._engine.ask(
            "export",
            {
                "source": source.to_dict(),
                "out": str(out),
                "to": target.to,
                "timeline": source.timeline,
                "options": self._options(),
            },
            event=lambda data, _: self._move(data),
            done=lambda data, _: self._end(lambda: self._written(source, target, data)),
            failed=self._fail,
        )

    def check(self, files: tuple[Path, ...], delivery: str) -> None:
        """Measure files against a delivery spec; does nothing while something is being written or measured."""
        if self.state != IDLE or not files:
            return
        self._begin()
        self._ticket = self._engine.ask(
            "check",
            {"files": [str(path) for path in files], "delivery": delivery},
            event=lambda data, _: self._move(data),
            done=lambda data, _: self._end(lambda: self._rows(delivery, data)),
            failed=self._fail,
        )

    def cancel(self) -> None:
        """Stop; nothing half-written stays."""
        if self._ticket is not None:
            self._ticket.cancel()

    def forget(self) -> None:
        """Clear away what was written, checked or failed, from view."""
        self.result = self.check_result = self.failure = None
        self.changed.emit()

    def _options(self) -> dict[str, Any]:
        if self.target.to == STEMS:
            return self.stems.options()
        return {"embed": True} if self.can_embed and self.embed else {}

    @property
    def _wanted(self) -> Path:
        """The path asked for, else a name beside the result: `cut.fcpxml`, or a folder `cut.stems`."""
        assert self.source is not None
        source = self.source.path
        if self._out is not None:
            return self._out
        if self.target.to == STEMS:
            return source.with_name(f"{source.stem}.{STEMS}")
        plain = source.with_name(f"{source.stem}{self.target.suffix}")
        if plain == source:
            plain = source.with_name(f"{source.stem}.{self.target.to}{self.target.suffix}")
        return plain

    def _free(self, out: Path) -> Path:
        """`out`, or where something is there that this panel did not write, the same with a number."""
        return next(path for path in _numbered(out) if path in self._ours or not self._exists(path))

    def _look_ahead(self) -> None:
        """Ask what the export will leave behind, before it is made."""
        self.lacking = None
        if not self._looking or self.source is None or self.target.to == RESULT:
            return
        self._engine.ask(
            "uncarried",
            {"source": self.source.to_dict(), "to": self.target.to, "timeline": self.source.timeline},
            slot="uncarried",
            done=lambda data, _: self._told(tuple(data.get("losses", ()))),
            failed=self._not_told,
        )

    def _told(self, lacking: tuple[str, ...]) -> None:
        self.lacking = lacking
        self.changed.emit()

    def _not_told(self, failure: Failure) -> None:
        """The export would not work either: better said now."""
        if not failure.cancelled:
            self.failure = failure
            self._told(())

    def _begin(self) -> None:
        self.state, self.motion = WORKING, Motion()
        self.result = self.check_result = self.failure = None
        self.changed.emit()

    def _move(self, data: Mapping[str, Any]) -> None:
        done, total = data.get("done"), data.get("total")
        share = min(1.0, max(0.0, done / total)) if done is not None and total else None
        self.motion = Motion(str(data.get("stage", "")), legible(str(data.get("item", ""))), share)
        self.moved.emit(self.motion)

    def _end(self, take: Callable[[], None]) -> None:
        self.state, self._ticket = IDLE, None
        take()
        self.changed.emit()

    def _written(self, source: Source, target: Target, data: Mapping[str, Any]) -> None:
        files = tuple(Path(path) for path in data.get("files", ()))
        rows = tuple(CheckRow.of(row) for row in data.get("rows", ()))
        notes = [note for one in data.get("sets", ()) for note in one.get("notes", ())]
        losses = tuple(dict.fromkeys([*notes, *data.get("losses", ())]))
        written = Written(target, Path(data["out"]), files, losses, rows)
        self._ours.update(files)
        if source == self.source and target == self.target:  # else it is no longer what is shown
            self.result = written
        self.wrote.emit(written)

    def _rows(self, delivery: str, data: Mapping[str, Any]) -> None:
        self.check_result = Checked(delivery, tuple(CheckRow.of(row) for row in data["rows"]))
        self.checked.emit(self.check_result)

    def _fail(self, failure: Failure) -> None:
        self.state, self._ticket = IDLE, None
        self.failure = None if failure.cancelled else failure
        if self.failure is not None:
            self.failed.emit(failure)
        self.changed.emit()


def _numbered(path: Path) -> Iterator[Path]:
    """The path, then the same with a number: `cut 2.xml`."""
    yield path
    yield from (path.with_name(f"{path.stem} {number}{path.suffix}") for number in count(2))
