"""What results use, remembered; and the removal of what none of the last ones does, when that is asked for.

An editor may have imported a result and still play its files when the same job runs again with other settings. So a
run removes nothing that a timeline can play; it only clears its own cache, which none does.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.errors import SettingsError, SightmixError, WriteError
from ...engine.files import write_text
from ...engine.legible import json_text
from ...engine.locks import holding_folder
from .cache import Entry, Shelf
from .keys import span_key
from .logs import log_unexpected

if TYPE_CHECKING:
    from ..timeline import Timeline
    from .plan import Plan
    from .results import JobResult

SCHEMA = "sightmix.history/1"
HISTORY, REPORT = "history.json", "report.json"
KEEP = 3  # results whose files stay when nothing else is said
_REMEMBERED = 50


@dataclass(frozen=True)
class Cleaned:
    """Files that no kept result uses, and how many bytes they take; hard links to a kept file take none."""

    files: tuple[Path, ...]
    bytes: int
    kept: int


def remember(folder: Path, job: JobResult) -> None:
    """Note in the job's folder which files its result plays and which renditions it was made of; raises WriteError."""
    renditions = [clip.rendition for clip in job.done if clip.rendition is not None]
    entry = {
        "made": job.made,
        "out": str(job.out),
        "keys": [clip.key for clip in job.done],
        "files": sorted(path.name for r in renditions for path in (r.path, *r.stems.values())),
    }
    entries = [known for known in history(folder) if known["files"] != entry["files"]]
    body = {"schema": SCHEMA, "results": [*entries, entry][-_REMEMBERED:]}
    write_text(folder / HISTORY, json_text(body, indent=1))


def history(folder: Path) -> list[dict[str, Any]]:
    """What `remember` noted, oldest first; of a folder from before there was a history, its last report."""
    noted = _noted(folder)
    if noted is not None:
        return noted
    with suppress(OSError, ValueError, KeyError, TypeError):
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        done = [clip for clip in report["clips"] if "file" in clip]
        files = [name for clip in done for name in (clip["file"], *clip["stems"].values())]
        return [{"made": report["made"], "keys": [clip["key"] for clip in done], "files": sorted(files)}]
    return []


def _noted(folder: Path) -> list[dict[str, Any]] | None:
    """What history.json says; None where there is none or it cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads((folder / HISTORY).read_text(encoding="utf-8"))
        if stored["schema"] == SCHEMA:
            return [
                dict(entry, files=list(entry["files"]), keys=list(entry["keys"]))
                for entry in stored["results"]
            ]
    return None


def clean(folder: Path, keep: int = KEEP, dry_run: bool = False) -> Cleaned:
    """Remove renditions in a job's folder that none of its last `keep` results uses, and return what went.

    Files without one of our sidecars are never touched. `dry_run` only says what would go. Raises SettingsError for
    a folder that is no job's, a history that cannot be read or a `keep` below 1, WriteError where a file cannot be
    removed or a job is running there.
    """
    if keep < 1:
        raise SettingsError(f"--keep {keep} would remove what the last result plays; keep at least 1.")
    results = history(folder)
    if not results:
        raise SettingsError(f"{folder} holds no results of sightmix; name a result's timeline or its folder.")
    if (folder / HISTORY).exists() and _noted(folder) is None:
        raise SettingsError(
            f"{folder / HISTORY} cannot be read, so what earlier results play is not known and nothing was removed; "
            "delete that file to go by the last report alone."
        )
    last = results[-keep:]
    names = {name for entry in last for name in entry["files"]}
    keys = {key for entry in last for key in entry["keys"]}
    shelves = {Shelf(folder): lambda entry: entry.rendition.path.name in names,
               Shelf(folder / "cache"): lambda entry: entry.key in keys}  # fmt: skip
    going = [path for shelf, wanted in shelves.items() for path in shelf.unwanted(wanted)]
    freed = _freed(going)
    if not dry_run:
        with holding_folder(folder):
            _remove(going)
    return Cleaned(tuple(going), freed, len(last))


def prune_cache(cache: Shelf, plan: Plan, job: JobResult) -> None:
    """Remove cached renditions that neither the last results nor a later selection of other clips can use."""
    keys = {task.key for task in plan.tasks}
    keys |= {key for entry in history(plan.folder)[-KEEP:] for key in entry["keys"]}
    others = _spans(plan.timeline, {clip.facts.index for clip in job.done})

    def wanted(entry: Entry) -> bool:
        return entry.key in keys or entry.span in others

    try:
        for path in cache.unwanted(wanted):
            path.unlink(missing_ok=True)
    except OSError as error:
        log_unexpected("old renditions stay", error)


def _spans(timeline: Timeline, chosen: set[int]) -> set[str]:
    """The spans of the online clips that were not chosen: what an earlier run rendered of them is kept."""
    spans = set()
    for clip in timeline.clips:
        if clip.online and clip.index not in chosen:
            with suppress(SightmixError):
                spans.add(span_key(clip.passage()))
    return spans


def _freed(paths: list[Path]) -> int:
    """Bytes that removing `paths` gives back: a file whose other names stay gives none."""
    links: dict[tuple[int, int], list[Any]] = {}
    for path in paths:
        with suppress(OSError):
            state = path.stat()
            links.setdefault((state.st_dev, state.st_ino), []).append(state)
    return sum(states[0].st_size for states in links.values() if len(states) >= states[0].st_nlink)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"{path} cannot be removed: {error.strerror or error}.") from error
