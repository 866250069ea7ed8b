"""A result as stems or as a file for another program, for the command line and Python alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ...engine.errors import SettingsError, WriteError
from ...engine.locks import holding, holding_folder
from ...engine.progress import Progress
from ...engine.roles import MIX, delivered
from .settings import refuse_unknown
from .sidecar import loudness_to_dict, number

if TYPE_CHECKING:
    from ...exporters.delivery import Row, Spec
    from ...exporters.stems import StemOptions, StemSet

STEMS = "stems"
SCHEMA = "sightmix.export/1"


@dataclass(frozen=True)
class ExportRequest:
    """What somebody wants exported, and where it goes.

    `out` is a file, or the folder for stems; beside the source if None. `to` is "stems" or a format's key, and empty
    goes by the suffix of `out`. `timeline` is the name or number of one of several in the file, `rate` what an EDL
    counts in. `options` are the format's own, or those of `StemOptions`, where `delivery` may be a spec's name.
    """

    source: Path
    out: Path | None = None
    to: str = ""
    timeline: str = ""
    rate: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """What an export wrote: `out` is the file, or the folder of stems, and `to` a format's key or "stems".

    `lost` is what of the timeline did not get there, a sentence each. `stems` are the sets where stems were made,
    `rows` what the `delivery` spec they were brought to says of their mixes.
    """

    to: str
    out: Path
    files: tuple[Path, ...]
    lost: tuple[str, ...]
    stems: tuple[StemSet, ...] = ()
    delivery: Spec | None = None
    rows: tuple[Row, ...] = ()

    @property
    def losses(self) -> tuple[str, ...]:
        """All there is to know of what was written, each sentence once."""
        notes = (note for one in self.stems for note in one.notes)
        return tuple(dict.fromkeys((*notes, *self.lost)))

    @property
    def met(self) -> bool:
        """Whether the delivery spec is met; where there is none it is."""
        return not any(row.out for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The export as JSON values."""
        about: dict[str, Any] = {"schema": SCHEMA, "to": self.to, "out": str(self.out)}
        if self.to != STEMS:
            return about | {"losses": list(self.lost)}
        return about | {
            "sets": [_set_data(one) for one in self.stems],
            "losses": list(self.lost),
            "delivery": self.delivery.key if self.delivery else None,
            "rows": [row_data(row) for row in self.rows],
        }


def target(to: str, out: Path | None) -> str:
    """The key of what is written, "stems" or a format's: as `to` says, else by the suffix of `out`.

    Raises SettingsError for a format or a suffix that is not known.
    """
    wanted = to.strip().lower()
    if wanted == STEMS or (not wanted and (out is None or not out.suffix or out.is_dir())):
        return STEMS
    from ...exporters.formats import find, of_file

    return find(wanted, out).key if wanted or out is None else of_file(out).key


def export(request: ExportRequest, progress: Progress | None = None) -> Exported:
    """Write what was asked for. A folder for stems is made, and taken away again if nothing was written into it.

    Raises SettingsError, TimelineError, MediaError, WriteError or Cancelled.
    """
    to = target(request.to, request.out)
    progress = progress or Progress()
    return _to_stems(request, progress) if to == STEMS else _to_file(request, to, progress)


def lacking(request: ExportRequest, progress: Progress | None = None) -> tuple[str, ...]:
    """What an export will leave behind, a sentence each, found by doing it in a scratch folder; nothing is left of it.

    Of stems, and of formats that render sound, only what the timeline itself says: sound is not made to be thrown away.
    Raises what `export` would.
    """
    from ...exporters.formats import export as write
    from ...exporters.formats import find
    from ..timeline.source import open_edit

    to = target(request.to, request.out)
    edit = open_edit(request.source, request.timeline, request.rate)
    if to == STEMS or find(to).renders:
        return edit.losses
    form = find(to)
    form.check(edit)
    with TemporaryDirectory() as scratch:
        return write(edit, Path(scratch) / f"scratch{form.suffix}", to, progress=progress)


def _to_file(request: ExportRequest, to: str, progress: Progress) -> Exported:
    from ...exporters.formats import export as write
    from ...exporters.formats import find
    from ..timeline.source import open_edit

    form = find(to)
    out = request.out or request.source.with_name(f"{request.source.stem}.{form.key}{form.suffix}")
    if not out.suffix:
        out = out.with_name(out.name + form.suffix)
    if out.exists() and out.resolve() == request.source.resolve():
        raise SettingsError(f"{out} is the timeline that is read; choose another name with -o.")
    with holding(out):
        edit = open_edit(request.source, request.timeline, request.rate)
        return Exported(to, out, (out,), write(edit, out, to, progress=progress, **request.options))


def _to_stems(request: ExportRequest, progress: Progress) -> Exported:
    from ...exporters.delivery import check_files
    from ...exporters.stems import export_stems
    from ..timeline.source import open_edit

    options = _stem_options(request.options)
    folder = request.out or request.source.with_name(f"{request.source.stem}.{STEMS}")
    edit = open_edit(request.source, request.timeline, request.rate)
    with _made(folder), holding_folder(folder):
        sets = export_stems(edit, folder, options, progress)
        mixes = _files(sets, MIX.short)
        spec = options.delivery
        rows = check_files(mixes, spec, progress) if spec and mixes else ()
    return Exported(STEMS, folder, _files(sets), edit.losses, sets, spec, rows)


def _stem_options(given: Mapping[str, Any]) -> StemOptions:
    """Options of stems by name, stems as somebody writes them and the delivery spec by its name or as it is."""
    from ...exporters.delivery import find_spec
    from ...exporters.stems import StemOptions

    refuse_unknown(given, [option.name for option in fields(StemOptions)], "option of stems")
    spec = given.get("delivery") or None
    exact = {
        "stems": tuple(delivered(word) for word in given.get("stems", ())),
        "assign": {track: delivered(word) for track, word in given.get("assign", {}).items()},
        "delivery": find_spec(spec) if isinstance(spec, str) else spec,
    }
    return StemOptions(**{**given, **exact})


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the folder for stems if it is not there, and remove it where the block fails and leaves it empty."""
    if folder.is_dir():
        yield
        return
    try:
        folder.mkdir()
    except OSError as error:
        raise WriteError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
    try:
        yield
    except BaseException:
        if not any(folder.iterdir()):
            folder.rmdir()
        raise


def _files(sets: Sequence[StemSet], stem: str = "") -> tuple[Path, ...]:
    """The files of one stem, or of all, in every set."""
    return tuple(path for one in sets for file in one.files if stem in ("", file.stem) for path in file.paths)


def _set_data(one: StemSet) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "samples": one.samples,
        "time_reference": one.time_reference,
        "start_tc": one.start,
        "gain_db": one.gain_db,
        "notes": list(one.notes),
        "files": [
            {
                "stem": file.stem,
                "paths": [str(path) for path in file.paths],
                "channels": file.channels,
                "clipped": file.clipped,
                "loudness": None if file.loudness is None else loudness_to_dict(file.loudness),
            }
            for file in one.files
        ],
    }


def row_data(row: Row) -> dict[str, Any]:
    """A figure held against a delivery spec, as JSON values."""
    return {
        "file": row.file,
        "figure": row.figure,
        "measured": number(row.measured),
        "wanted": row.wanted,
        "unit": row.unit,
        "passed": row.passed,
        "advice": row.advice,
    }
