"""What is done with a damaged file: everything a user could ask of it, where only sentences may come back."""

from __future__ import annotations

import json
import os
import random
import shutil
import traceback
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.etree import ElementTree

from fuzz_material import Seed, bundle_seeds, media_seeds, timeline_seeds, with_flag, zipped
from fuzz_mutations import mutated
from sightmix.engine.errors import SightmixError

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("engine", "plugin", "exporters")
ESCAPED = "fuzz-escaped"  # what no bundle may write
CACHED_BYTES = 64 << 20  # of a bundle of less than a MB
_XML = (".xml", ".fcpxml", ".mlt")
_CLIPS = 3
_SELDOM = 100  # one input in so many is written as AAF, which takes seconds


@dataclass(frozen=True)
class Finding:
    """What must not happen: how (`raised`, `crashed`, `hung`, `memory`, …), where in our code, and its trace."""

    fate: str
    step: str
    error: str
    where: str
    trace: str


def own_frame(trace: TracebackType | None) -> str:
    """The innermost frame that is ours, as file:line function."""
    found = "outside"
    for frame in traceback.extract_tb(trace):
        path = Path(os.path.realpath(frame.filename))
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS:
            found = f"{path.relative_to(ROOT)}:{frame.lineno} {frame.name}"
    return found


class Steps:
    """Runs steps with the input `number` one after the other and keeps what came out of them that is no sentence."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.found: list[Finding] = []

    def run(self, step: str, do: Callable[[], Any]) -> Any:
        """What `do` returns; None after a sentence, and after anything else, which is kept."""
        try:
            return do()
        except SightmixError as error:
            text = str(error)
            if not text.strip() or "\n" in text or len(text) > 2000:
                self._keep("no sentence", step, error)
        except Exception as error:  # noqa: BLE001  (to find these is the purpose)
            self._keep("memory" if isinstance(error, MemoryError) else "raised", step, error)
        return None

    def note(self, fate: str, step: str, error: str) -> None:
        """Keep something that was seen to be wrong though nothing was raised."""
        self.found.append(Finding(fate, step, error, step, error))

    def _keep(self, fate: str, step: str, error: Exception) -> None:
        text = "".join(traceback.format_exception(error))
        short = f"{type(error).__name__}: {str(error)[:200]}"
        self.found.append(Finding(fate, step, short, own_frame(error.__traceback__), text[-6000:]))


def try_timeline(path: Path, out: Path, steps: Steps) -> None:
    """Read, inspect, cut passages, and export to every format."""
    from sightmix.exporters.formats import FORMATS
    from sightmix.exporters.formats import export as write
    from sightmix.plugin.jobs.inspection import timeline_data
    from sightmix.plugin.timeline.source import open_edit, open_source

    opened = steps.run("read", lambda: open_source(path))
    if opened is None:
        return
    timeline, names = opened
    data = steps.run("inspect", lambda: timeline_data(timeline, names, {}))
    if data is not None:
        steps.run("inspect as JSON", lambda: json.dumps(data, allow_nan=False).encode())
    for clip in [clip for clip in timeline.clips if clip.online][:_CLIPS]:
        steps.run("passage", clip.passage)
    edit = steps.run("read to export", lambda: open_edit(path))
    for form in FORMATS if edit is not None else ():
        if form.key == "aaf" and steps.number % _SELDOM:
            continue
        file = out / f"{form.key}{form.suffix}"
        if steps.run(f"export {form.key}", partial(write, edit, file, form.key)) is not None:
            steps.run(f"well-formed {form.key}", partial(_parsed, file))


def _parsed(file: Path) -> None:
    """Read what was written as what it says it is. Raises ValueError, ParseError, UnicodeDecodeError."""
    if file.suffix in _XML:
        ElementTree.parse(file)
    elif file.suffix == ".otio":
        json.loads(file.read_text(encoding="utf-8"), parse_constant=_no_number)
    elif file.suffix != ".aaf" and "\x1b" in file.read_text(encoding="utf-8"):
        raise ValueError("an escape character in a text")


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def try_media(path: Path, _out: Path, steps: Steps) -> None:
    """Probe, decode a second from the start and from the middle of every stream, see a frame, open as a timeline."""
    from sightmix.engine.media.picture import sample_frames
    from sightmix.engine.media.reader import probe, read_span
    from sightmix.engine.passage import Channel
    from sightmix.plugin.jobs.inspection import timeline_data
    from sightmix.plugin.timeline.source import open_source

    info = steps.run("probe", lambda: probe(path))
    if info is not None:
        for stream in info.audio[:_CLIPS]:
            picks = [Channel(stream.index, channel) for channel in range(min(stream.channels, 8))]
            for start in (Fraction(0), min(info.duration, Fraction(3600)) / 2):
                steps.run("decode", partial(read_span, path, start, Fraction(1), picks))
        if info.video is not None:
            times = [Fraction(0), min(info.video.duration, Fraction(3600)) / 2]
            steps.run("picture", lambda: sample_frames(path, times, 32, 32))
    opened = steps.run("read", lambda: open_source(path))
    if opened is not None:
        steps.run("inspect", lambda: json.dumps(timeline_data(opened[0], opened[1], {}), allow_nan=False))


def try_bundle(path: Path, out: Path, steps: Steps) -> None:
    """As a timeline, with an eye on what is unpacked and where."""
    cache = Path(os.environ["XDG_CACHE_HOME"])
    try_timeline(path, out, steps)
    if any(
        not found.is_relative_to(cache) for found in path.parent.rglob(ESCAPED) if path not in found.parents
    ):
        steps.note("escaped", "unpack", "a member was written outside the cache")
    size = sum(file.lstat().st_size for file in cache.rglob("*"))
    if size > CACHED_BYTES:
        steps.note("memory", "unpack", f"{size >> 20} MB unpacked")
    shutil.rmtree(cache, ignore_errors=True)


def lay(seed: Seed, others: list[Seed], rng: random.Random, path: Path) -> None:
    """Write the damaged form of a seed to `path`."""
    if seed.members:
        _lay_bundle(seed, rng, path)
        return
    same = [one for one in others if one.suffix == seed.suffix]
    path.write_bytes(mutated(seed.data, rng, rng.choice(same).data))


def _lay_bundle(seed: Seed, rng: random.Random, path: Path) -> None:
    if seed.suffix == ".otioz":
        path.write_bytes(_damaged_zip(seed, rng, path))
        return
    for name, data in seed.members:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    name, data = seed.members[0] if rng.random() < 0.6 else rng.choice(seed.members)
    _damage_member(path / name, data, rng)


def _damage_member(file: Path, data: bytes, rng: random.Random) -> None:
    """A file inside a bundle that is a folder: damaged, gone, or something that is no file at all."""
    act = rng.randrange(10)
    if act < 5:
        file.write_bytes(mutated(data, rng, data))
        return
    file.unlink()
    if act == 5:
        file.mkdir()
    elif act == 6:
        os.mkfifo(file)
    elif act == 7:
        file.symlink_to(rng.choice(("/dev/zero", "/dev/full", "/nowhere", file.name, ".")))
    elif act == 8:
        with file.open("wb") as sparse:
            sparse.truncate(rng.choice((3 << 30, 1 << 40)))


def _damaged_zip(seed: Seed, rng: random.Random, path: Path) -> bytes:
    """A zip that is damaged as a file, in a member, or by a member that should not be there."""
    members: list[tuple[zipfile.ZipInfo | str, bytes]] = list(seed.members)
    act = rng.randrange(6)
    if act == 0:
        return mutated(zipped(path, members), rng, members[-1][1])
    if act == 1:
        return with_flag(zipped(path, members), rng.choice((1, 0x40, 0x2000)))
    if act == 2:
        del members[rng.randrange(len(members))]
    elif act in (3, 4):
        at = 0 if act == 3 else rng.randrange(len(members))
        members[at] = (members[at][0], mutated(members[at][1], rng, members[-1][1]))
    else:
        members.insert(rng.randrange(len(members) + 1), _intruder(seed, path, rng))
    return zipped(path, members)


def _intruder(seed: Seed, path: Path, rng: random.Random) -> tuple[zipfile.ZipInfo | str, bytes]:
    """A member that nobody should unpack: one that leads outside, a link, a bomb, a name no disk has."""
    outside = str(path.parent.absolute())
    link = zipfile.ZipInfo("media/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    names = (
        f"../{ESCAPED}", f"../../../../{ESCAPED}", f"{outside}/{ESCAPED}", f"..\\{ESCAPED}", f"media/link/{ESCAPED}",
        "media/\x00.wav", f"media/{'n' * 300}.wav", f"{'media/' * 200}x.wav", "content.otio/", "version.txt",
    )  # fmt: skip
    drawn = rng.randrange(len(names) + 5)
    if drawn < len(names):
        return names[drawn], b"x"
    if drawn == len(names):
        return link, outside.encode()
    if drawn == len(names) + 1:
        return "media/zeros.wav", bytes(100 << 20)
    if drawn == len(names) + 2:
        return "content.otio", b"{" + b" " * (100 << 20)
    if drawn == len(names) + 3:
        return "media/inner.zip", zipped(path, [("zeros", bytes(50 << 20))])
    return "content.otio", seed.members[0][1]


@dataclass(frozen=True)
class Kind:
    """A fuzzer: what it damages and what it then asks for."""

    seeds: Callable[[Path], list[Seed]]
    run: Callable[[Path, Path, Steps], None]


KINDS = {
    "timelines": Kind(timeline_seeds, try_timeline),
    "media": Kind(media_seeds, try_media),
    "bundles": Kind(bundle_seeds, try_bundle),
}
