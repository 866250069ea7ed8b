"""The open training corpus: fetched from free packages by a recipe, decoded, sorted into speech, music and effects."""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from PIL import Image

from ..errors import TrainingError
from ..progress import Progress, Step

SAMPLE_RATE = 44_100
KINDS = ("speech", "music", "effects")
SPLITS = ("train", "validation", "test")
DROP = "drop"
SOUND_SUFFIXES = frozenset({".ogg", ".oga", ".opus", ".wav", ".flac", ".mp3", ".g722", ".sb"})
# Kept apart for the project's own evaluation: whoever trains on them can no longer measure anything.
RESERVED = (
    "drascula*",
    "beneath-a-steel-sky*",
    "supertuxkart-data",
    "openarena-*",
    "nexuiz-data",
    "nexuiz-music",
    "singularity-music",
    "freecol*",
    "psychopy*",
    "stempeg*",
)
RECIPES = Path(__file__).parent / "recipe"

# Bumped whenever the same recipe would give other samples, so that a resumed build starts its packages anew.
BUILDER = 1

Sound = NDArray[np.float32]
Runner = Callable[[Sequence[str], Path], None]


# --------------------------------------------------------------------------------------------- the finished corpus


@dataclass(frozen=True)
class Item:
    """One sound: `samples` mono samples at 44.1 kHz from sample `start` of `file`; level in dBFS, bandwidth in Hz."""

    id: str
    kind: str
    package: str
    licence: str
    source: str
    split: str
    file: str
    start: int
    samples: int
    rms_db: float
    peak: float
    bandwidth_hz: float
    label: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE


@dataclass(frozen=True)
class Picture:
    """A 224 × 224 RGB picture: of what makes the sound `item_id`, or (`item_id` None) of something silent."""

    file: str
    label: str
    split: str
    item_id: str | None = None


class Corpus:
    """A built corpus on disk; sounds are read through a memory map, so opening it costs nothing.

    Raises `TrainingError` when `root` holds no corpus of this version.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        manifest = _read_manifest(self.root)
        self.sample_rate: int = manifest["sample_rate"]
        self.packages: dict[str, dict[str, Any]] = manifest["packages"]
        self._items = tuple(Item(**entry) for entry in manifest["items"])
        self.pictures = tuple(Picture(**entry) for entry in manifest.get("pictures", ()))
        self.distractors = tuple(Picture(**entry) for entry in manifest.get("distractors", ()))
        self._maps: dict[str, NDArray[np.int16]] = {}

    def items(self, kind: str | None = None, split: str | None = None) -> list[Item]:
        """The sounds of one kind (`speech`, `music`, `effects`) and one split (`train`, `validation`, `test`)."""
        return [
            item
            for item in self._items
            if (kind is None or item.kind == kind) and (split is None or item.split == split)
        ]

    def audio(self, item: Item) -> Sound:
        """The samples of `item`, float32 in −1…1, shape `(samples,)`."""
        if item.file not in self._maps:
            path = self.root / item.file
            if not path.is_file():
                raise TrainingError(f"The corpus file {path} is missing; build the corpus again.")
            self._maps[item.file] = np.memmap(path, dtype="<i2", mode="r")
        raw = self._maps[item.file][item.start : item.start + item.samples]
        if raw.size != item.samples:
            raise TrainingError(f"The corpus file {self.root / item.file} is cut short; build the corpus again.")
        return raw.astype(np.float32) / np.float32(32768)

    def picture(self, picture: Picture) -> NDArray[np.uint8]:
        """The pixels of `picture`, uint8 RGB, shape `(224, 224, 3)`."""
        with Image.open(self.root / picture.file) as image:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)

    def hours(self) -> dict[str, dict[str, float]]:
        """Hours by kind, then split."""
        sums = {kind: dict.fromkeys(SPLITS, 0.0) for kind in KINDS}
        for item in self._items:
            sums[item.kind][item.split] += item.seconds / 3600
        return sums


def _read_manifest(root: Path) -> dict[str, Any]:
    path = root / "corpus.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"There is no corpus in {root}; build one first.") from None
    except ValueError:
        raise TrainingError(f"The corpus list {path} cannot be read; build the corpus again.") from None
    if manifest.get("version") != 1 or manifest.get("sample_rate") != SAMPLE_RATE:
        raise TrainingError(f"The corpus in {root} was made by another version; build it again.")
    return manifest


# ------------------------------------------------------------------------------------------------------ the recipe


@dataclass(frozen=True)
class Rule:
    """What the files whose path matches are: a kind (or `drop`), their split, and caps in seconds."""

    kind: str
    match: tuple[str, ...]
    unless: tuple[str, ...] = ()
    split: str = "train"
    licence: str | None = None
    label: str | None = None
    total_s: float | None = None
    item_s: float | None = None

    def fits(self, path: str) -> bool:
        """Whether this rule speaks of `path` (patterns as in `fnmatch`, letter case ignored, `*` crosses folders)."""
        low = path.lower()
        return _any_match(low, self.match) and not _any_match(low, self.unless)


@dataclass(frozen=True)
class PackageRecipe:
    """One package: its licence as its copyright file states it, the zip archives inside it, and its rules in order."""

    name: str
    licence: str
    rules: tuple[Rule, ...]
    credit: str = ""
    url: str = ""
    archives: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    pictures: Mapping[str, Any] | None = None

    def rule_for(self, path: str) -> int | None:
        """The index of the first rule that fits `path`; None when no rule does or it says to drop the file."""
        for index, rule in enumerate(self.rules):
            if rule.fits(path):
                return None if rule.kind == DROP else index
        return None


@dataclass(frozen=True)
class Recipe:
    """What to fetch and how to sort it; `shortest_s` by kind."""

    name: str
    packages: tuple[PackageRecipe, ...]
    shortest_s: Mapping[str, float] = field(
        default_factory=lambda: {"speech": 0.4, "music": 5.0, "effects": 0.25}
    )


def _any_match(low: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(low, pattern.lower()) for pattern in patterns)


def load_recipe(source: str | Path) -> Recipe:
    """Read a recipe: the name of one that comes with the package (`open`) or the path of a JSON file.

    Raises `TrainingError` when it cannot be read, has an unknown kind or split, or names a reserved package.
    """
    path = RECIPES / f"{source}.json" if (RECIPES / f"{source}.json").is_file() else Path(source)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        recipe = Recipe(
            name=raw["name"],
            packages=tuple(_package_recipe(entry) for entry in raw["packages"]),
            shortest_s=raw["shortest_s"],
        )
    except OSError:
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.json")))
        raise TrainingError(f"There is no recipe {source}; recipes that come along: {known}.") from None
    except (ValueError, KeyError, TypeError) as fault:
        raise TrainingError(f"The recipe {path} is not well formed: {fault}.") from None
    _check_recipe(recipe)
    return recipe


def _package_recipe(entry: Mapping[str, Any]) -> PackageRecipe:
    lists = {key: tuple(entry[key]) for key in ("archives", "containers") if key in entry}
    rules = tuple(
        Rule(**{**rule, "match": tuple(rule["match"]), "unless": tuple(rule.get("unless", ()))})
        for rule in entry["rules"]
    )
    return PackageRecipe(**{**entry, **lists, "rules": rules})


def _check_recipe(recipe: Recipe) -> None:
    for package in recipe.packages:
        refuse_reserved(package.name)
        for rule in package.rules:
            if rule.kind not in (*KINDS, DROP):
                raise TrainingError(
                    f"The recipe {recipe.name} calls files of {package.name} {rule.kind!r}; "
                    f"use one of {', '.join((*KINDS, DROP))}."
                )
            if rule.split not in SPLITS:
                raise TrainingError(
                    f"The recipe {recipe.name} puts files of {package.name} in split {rule.split!r}; "
                    f"use one of {', '.join(SPLITS)}."
                )


def refuse_reserved(package: str) -> None:
    """Raise `TrainingError` when `package` is kept for evaluation and must never be trained on."""
    if _any_match(package.lower(), RESERVED):
        raise TrainingError(
            f"The package {package} is reserved for evaluation; take it out of the recipe, "
            "nothing may be trained, tuned or selected on it."
        )


# -------------------------------------------------------------------------------------------- fetching and unpacking


def run_command(command: Sequence[str], folder: Path) -> None:
    """Run `command` in `folder`; raises `TrainingError` with the last line it complained with."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise TrainingError(
            f"The program {command[0]} is needed to fetch the corpus; this machine has none (use Debian or Ubuntu)."
        ) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise TrainingError(f"{' '.join(command[:3])} failed: {lines[-1]}.")


def fetch_package(name: str, cache: Path, run: Runner = run_command) -> Path:
    """The .deb of package `name` in `cache`, downloaded with apt when it is not there yet."""
    refuse_reserved(name)
    cache.mkdir(parents=True, exist_ok=True)
    found = _find_deb(name, cache)
    if found is None:
        run(["apt-get", "download", name], cache)
        found = _find_deb(name, cache)
    if found is None:
        raise TrainingError(f"apt-get gave no file for {name}; run apt-get update or put the .deb into {cache}.")
    return found


def _find_deb(name: str, cache: Path) -> Path | None:
    return max(cache.glob(f"{name}_*.deb"), default=None)


def _version_of(deb: Path) -> str:
    return urllib.parse.unquote(deb.stem.split("_")[1])


def _unpack(deb: Path, run: Runner) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"unpacked-{deb.name.split('_', maxsplit=1)[0]}-", dir=deb.parent))
    try:
        run(["dpkg-deb", "-x", str(deb), str(folder)], deb.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


@dataclass(frozen=True)
class _Source:
    """A file of a package: its path inside it (`archive!path` for files in archives), and how to get its bytes."""

    path: str
    read: Callable[[], bytes]


def _sources(folder: Path, package: PackageRecipe, stack: ExitStack) -> Iterator[_Source]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        inside = path.relative_to(folder).as_posix()
        if _any_match(inside.lower(), package.archives):
            yield from _zip_sources(path, inside, stack)
        elif _any_match(inside.lower(), package.containers):
            yield from _table_sources(path, inside, stack)
        else:
            yield _Source(inside, path.read_bytes)


def _zip_sources(path: Path, inside: str, stack: ExitStack) -> Iterator[_Source]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except zipfile.BadZipFile:
        raise TrainingError(f"The archive {inside} inside the package is damaged; delete the .deb and fetch it anew.") from None
    for name in sorted(archive.namelist()):
        if not name.endswith("/"):
            yield _Source(f"{inside}!{name}", lambda name=name: archive.read(name))  # type: ignore[misc]


def _table_sources(path: Path, inside: str, stack: ExitStack) -> Iterator[_Source]:
    """Entries of a ScummVM resource file with a table of contents in front (`QTBL`: name, bundle, offset, size)."""
    file = stack.enter_context(path.open("rb"))
    for name, offset, size in _read_table(file, inside):
        yield _Source(f"{inside}!{name}", lambda offset=offset, size=size: _read_at(file, offset, size))  # type: ignore[misc]


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _read_table(file: BinaryIO, inside: str) -> list[tuple[str, int, int]]:
    head = file.read(15)
    if head[:4] != b"QTBL":
        raise TrainingError(f"The container {inside} has no table of contents this builder knows.")
    count = int.from_bytes(head[13:15], "big")
    rows = [file.read(21) for _ in range(count)]
    return [
        (row[:12].split(b"\0")[0].decode("latin-1"), int.from_bytes(row[13:17], "big"), int.from_bytes(row[17:21], "big"))
        for row in rows
    ]


# --------------------------------------------------------------------------------------------------- one sound's way


class _Unusable(Exception):
    """Why one file is left out; it becomes a warning in the manifest."""


def _decode(data: bytes, suffix: str) -> tuple[Sound, int]:
    """Mono float32 samples and their rate; libsndfile first, FFmpeg for what it does not know."""
    try:
        sound, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        return sound.mean(axis=1, dtype=np.float32), int(rate)
    except (soundfile.LibsndfileError, RuntimeError):
        return _decode_av(data, suffix)


def _decode_av(data: bytes, suffix: str) -> tuple[Sound, int]:
    demuxer = {".g722": "g722", ".sb": "mp3"}.get(suffix)
    blocks: list[Sound] = []
    try:
        with av.open(io.BytesIO(data), format=demuxer) as container:
            rate = 0
            for frame in container.decode(audio=0):
                plane = _as_float(frame.to_ndarray())
                channels = len(frame.layout.channels)
                mono = plane.reshape(-1, channels).mean(axis=1) if plane.shape[0] == 1 else plane.mean(axis=0)
                blocks.append(mono.astype(np.float32))
                rate = frame.sample_rate
    except (av.FFmpegError, IndexError, ValueError) as fault:
        raise _Unusable(f"cannot be decoded ({fault})") from None
    if not blocks:
        raise _Unusable("holds no sound")
    return np.concatenate(blocks), rate


def _as_float(plane: NDArray[Any]) -> NDArray[Any]:
    if plane.dtype == np.uint8:
        return (plane.astype(np.float32) - 128) / 128
    if np.issubdtype(plane.dtype, np.integer):
        return plane.astype(np.float32) / np.float32(-float(np.iinfo(plane.dtype).min))
    return plane


def trim_silence(sound: Sound, sample_rate: int = SAMPLE_RATE, below_peak_db: float = 50.0) -> Sound:
    """Cut what is more than `below_peak_db` under the loudest 10 ms (and under −70 dBFS in any case) at both ends.

    `sound` has shape `(samples,)`; 30 ms are left at each cut, faded over 5 ms so that no click is made.
    """
    hop = sample_rate // 100
    frames = -(-sound.size // hop)
    padded = np.zeros(frames * hop, dtype=np.float32)
    padded[: sound.size] = sound
    power = np.mean(padded.reshape(frames, hop) ** 2, axis=1)
    floor = max(float(power.max(initial=0.0)) * 10 ** (-below_peak_db / 10), 1e-7)
    loud = np.flatnonzero(power >= floor)
    if loud.size == 0:
        return sound[:0]
    first = max(0, int(loud[0]) * hop - 3 * hop)
    last = min(sound.size, (int(loud[-1]) + 1) * hop + 3 * hop)
    kept = sound[first:last].copy()
    fade = min(sample_rate // 200, kept.size // 2)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    if first > 0:
        kept[:fade] *= ramp
    if last < sound.size:
        kept[kept.size - fade :] *= ramp[::-1]
    return kept


def bandwidth(sound: Sound, sample_rate: int = SAMPLE_RATE, below_peak_db: float = 80.0) -> float:
    """The highest frequency (Hz) whose mean power lies within `below_peak_db` of the strongest one's.

    Unlike a percentage of the energy it does not follow the music's own tilt: it finds where a narrow-band
    source stops. `sound` has shape `(samples,)`.
    """
    size = 2048
    frames = max(1, sound.size // size)
    padded = np.zeros(frames * size, dtype=np.float32)
    usable = min(sound.size, padded.size)
    padded[:usable] = sound[:usable]
    window = np.hanning(size).astype(np.float32) ** 2
    chosen = padded.reshape(frames, size)[:: max(1, frames // 512)]
    power = np.mean(np.abs(np.fft.rfft(chosen * window, axis=1)) ** 2, axis=0)
    strong = np.flatnonzero(power >= power.max() * 10 ** (-below_peak_db / 10))
    return float((int(strong[-1]) + 1) * sample_rate / size) if power.max() > 0 else 0.0


def prepare(data: bytes, suffix: str, shortest_s: float, longest_s: float | None = None) -> Sound:
    """From a file's bytes to clean mono 44.1 kHz float32 `(samples,)`: decoded, DC removed, resampled, trimmed.

    Too loud a sound is scaled to a peak of 0.999; raises `_Unusable` for what is broken, silent or too short.
    """
    sound, rate = _decode(data, suffix)
    if not 4_000 <= rate <= 384_000 or not np.isfinite(sound).all():
        raise _Unusable("has an impossible sample rate or samples that are not numbers")
    if longest_s is not None:
        sound = sound[: int(longest_s * rate)]
    if sound.size < shortest_s * rate:
        raise _Unusable("is too short")
    sound = sound - np.float32(sound.mean(dtype=np.float64))
    if rate != SAMPLE_RATE:
        sound = soxr.resample(sound, rate, SAMPLE_RATE, quality="HQ").astype(np.float32)
    sound = trim_silence(sound)
    if sound.size < shortest_s * SAMPLE_RATE:
        raise _Unusable("is too short once its silence is cut")
    if _rms_db(sound) < -60:
        raise _Unusable("is all but silent")
    peak = float(np.abs(sound).max())
    return sound * np.float32(0.999 / peak) if peak > 0.999 else sound


def _rms_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-20))


# ----------------------------------------------------------------------------------------------------- the building


def build_corpus(
    recipe_path: str | Path,
    cache_dir: Path,
    out_dir: Path,
    progress: Progress | None = None,
    packages: Sequence[str] | None = None,
    run: Runner = run_command,
) -> Corpus:
    """Build (or go on building) the corpus of a recipe in `out_dir`, package by package, and return it.

    A package already built by the same recipe is kept as it is; `corpus.json` is written anew after each one, so a
    stopped build leaves a usable smaller corpus. Raises `TrainingError` for a bad recipe, an unknown package name
    or one that cannot be fetched, and `Cancelled` when the user stops it.
    """
    recipe = load_recipe(recipe_path)
    progress = progress or Progress()
    chosen = _choose(recipe, packages)
    out_dir = Path(out_dir)
    (out_dir / "parts").mkdir(parents=True, exist_ok=True)
    for number, package in enumerate(chosen):
        progress.report("corpus", package.name, number, len(chosen), "packages")
        if not _is_built(package, recipe, out_dir):
            _build_package(package, recipe, Path(cache_dir), out_dir, progress, run)
        _write_manifest(recipe, out_dir)
    progress.report("corpus", recipe.name, len(chosen), len(chosen), "packages")
    return Corpus(out_dir)


def _choose(recipe: Recipe, names: Sequence[str] | None) -> list[PackageRecipe]:
    if names is None:
        return list(recipe.packages)
    known = {package.name: package for package in recipe.packages}
    for name in names:
        refuse_reserved(name)
        if name not in known:
            raise TrainingError(f"The recipe {recipe.name} has no package {name}; it has {', '.join(known)}.")
    return [known[name] for name in names]


def _fingerprint(package: PackageRecipe, recipe: Recipe) -> str:
    text = json.dumps([BUILDER, asdict(package), dict(recipe.shortest_s)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _part_path(out_dir: Path, name: str) -> Path:
    return out_dir / "parts" / f"{name}.json"


def _read_part(out_dir: Path, name: str) -> dict[str, Any] | None:
    try:
        part: dict[str, Any] = json.loads(_part_path(out_dir, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return part


def _is_built(package: PackageRecipe, recipe: Recipe, out_dir: Path) -> bool:
    part = _read_part(out_dir, package.name)
    return (
        part is not None
        and part["fingerprint"] == _fingerprint(package, recipe)
        and all((out_dir / name).is_file() for name in part["files"])
    )


def _build_package(
    package: PackageRecipe, recipe: Recipe, cache: Path, out_dir: Path, progress: Progress, run: Runner
) -> None:
    deb = fetch_package(package.name, cache, run)
    folder = _unpack(deb, run)
    try:
        with ExitStack() as stack:
            sources = {source.path: source for source in _sources(folder, package, stack)}
            sorter = _PackageBuilder(package, recipe, out_dir, progress)
            part = sorter.build(sources)
        _copy_licence(folder, package.name, out_dir)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    part["package"] = {
        "version": _version_of(deb),
        "licence": package.licence,
        "credit": package.credit,
        "url": package.url,
    }
    _write_json(_part_path(out_dir, package.name), part)


def _copy_licence(folder: Path, name: str, out_dir: Path) -> None:
    source = folder / "usr/share/doc" / name / "copyright"
    if source.is_file() and not source.is_symlink():
        (out_dir / "licences").mkdir(exist_ok=True)
        shutil.copyfile(source, out_dir / "licences" / f"{name}.txt")


def _spread(paths: Sequence[str]) -> list[str]:
    """The same paths in an order whose every beginning is an even choice of the whole (steps of the golden ratio)."""
    keys = [(index * 0.6180339887498949) % 1.0 for index in range(len(paths))]
    return [paths[index] for index in sorted(range(len(paths)), key=keys.__getitem__)]


class _PackageBuilder:
    """Writes one package's sounds, one raw file a kind, under temporary names until all of them are whole."""

    def __init__(self, package: PackageRecipe, recipe: Recipe, out_dir: Path, progress: Progress) -> None:
        self.package = package
        self.recipe = recipe
        self.out_dir = out_dir
        self.progress = progress
        self.items: list[Item] = []
        self.warnings: list[str] = []
        self._seen: dict[str, str | None] = {}
        self._by_source: dict[str, str] = {}
        self._lengths = dict.fromkeys(KINDS, 0)
        self._spent: dict[int, int] = {}
        self._files: dict[str, BinaryIO] = {}

    def build(self, sources: Mapping[str, _Source]) -> dict[str, Any]:
        """Sort, clean and write the package's files; returns the part of the manifest that speaks of them."""
        plan = self._plan(sources)
        try:
            with ExitStack() as stack:
                for number, (index, path) in enumerate(plan):
                    self.progress.report("corpus", self.package.name, number, len(plan), "files")
                    self._take(sources[path], index, stack)
            for kind in self._files:
                os.replace(self._partial(kind), self.out_dir / self._name(kind))
        finally:
            for kind in KINDS:
                self._partial(kind).unlink(missing_ok=True)
        pictures, distractors = self._pictures(sources)
        return {
            "fingerprint": _fingerprint(self.package, self.recipe),
            "files": [self._name(kind) for kind in self._files],
            "items": [asdict(item) for item in self.items],
            "pictures": pictures,
            "distractors": distractors,
            "warnings": self.warnings,
        }

    def _plan(self, sources: Mapping[str, _Source]) -> list[tuple[int, str]]:
        by_rule: dict[int, list[str]] = {}
        for path in sources:
            if Path(path).suffix.lower() in SOUND_SUFFIXES:
                index = self.package.rule_for(path)
                if index is not None:
                    by_rule.setdefault(index, []).append(path)
        return [
            (index, path)
            for index, paths in sorted(by_rule.items())
            for path in (_spread(paths) if self.package.rules[index].total_s else paths)
        ]

    def _name(self, kind: str) -> str:
        return f"{kind}-{self.package.name}.i16"

    def _partial(self, kind: str) -> Path:
        return self.out_dir / f".{self._name(kind)}.partial"

    def _take(self, source: _Source, index: int, stack: ExitStack) -> None:
        rule = self.package.rules[index]
        room = None if rule.total_s is None else rule.total_s - self._spent.get(index, 0) / SAMPLE_RATE
        if room is not None and room < self.recipe.shortest_s[rule.kind]:
            return
        longest = min((s for s in (rule.item_s, room) if s is not None), default=None)
        try:
            data = source.read()
            digest = hashlib.sha256(data).hexdigest()
            if digest in self._seen:
                self._same_again(source.path, digest)
                return
            self._seen[digest] = None
            sound = prepare(data, Path(source.path).suffix.lower(), self.recipe.shortest_s[rule.kind], longest)
        except (_Unusable, OSError, zipfile.BadZipFile) as fault:
            self.warnings.append(f"{source.path} {fault}; left out.")
            return
        item = self._store(source.path, rule, sound, stack)
        self._seen[digest] = item.id
        self._spent[index] = self._spent.get(index, 0) + item.samples

    def _same_again(self, path: str, digest: str) -> None:
        known = self._seen[digest]
        if known is not None:
            self._by_source[path] = known

    def _store(self, path: str, rule: Rule, sound: Sound, stack: ExitStack) -> Item:
        if rule.kind not in self._files:
            self._files[rule.kind] = stack.enter_context(self._partial(rule.kind).open("wb"))
        whole = np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2")
        self._files[rule.kind].write(whole.tobytes())
        item = Item(
            id=f"{self.package.name}-{rule.kind}-{len(self.items):05d}",
            kind=rule.kind,
            package=self.package.name,
            licence=rule.licence or self.package.licence,
            source=path,
            split=rule.split,
            file=self._name(rule.kind),
            start=self._lengths[rule.kind],
            samples=sound.size,
            rms_db=round(_rms_db(sound), 2),
            peak=round(float(np.abs(sound).max()), 4),
            bandwidth_hz=round(bandwidth(sound)),
            label=rule.label or Path(path).stem,
        )
        self._lengths[rule.kind] += sound.size
        self.items.append(item)
        self._by_source[path] = item.id
        return item

    def _pictures(self, sources: Mapping[str, _Source]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Pictures beside the sounds of the same name, and an even choice of those that have no sound."""
        wanted = self.package.pictures
        if wanted is None:
            return [], []
        stems = {path: str(Path(path).with_suffix("")) for path in sources}
        sounding = {stems[path] for path in sources if Path(path).suffix.lower() in SOUND_SUFFIXES}
        by_id = {item.id: item for item in self.items}
        paired: list[dict[str, Any]] = []
        silent: list[str] = []
        for path in sorted(path for path in sources if _any_match(path.lower(), wanted["match"])):
            item = by_id.get(self._by_source.get(f"{stems[path]}.ogg", ""))
            if item is not None and item.kind == "effects":
                entry = self._save_picture(sources[path], item.split)
                paired += [entry | {"item_id": item.id}] if entry else []
            elif stems[path] not in sounding:
                silent.append(path)
        chosen = _spread(silent)[: int(wanted["distractors"])]
        splits = ("validation" if number % 10 == 9 else "train" for number in range(len(chosen)))
        saved = (self._save_picture(sources[path], split) for path, split in zip(chosen, splits, strict=True))
        return paired, [entry for entry in saved if entry]

    def _save_picture(self, source: _Source, split: str) -> dict[str, Any] | None:
        digest = hashlib.sha256(source.path.encode()).hexdigest()[:8]
        label = Path(source.path).stem
        name = f"pictures/{self.package.name}-{label}-{digest}.png"
        target = self.out_dir / name
        target.parent.mkdir(exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            letterbox(source.read()).save(partial, format="PNG")
            os.replace(partial, target)
        except (OSError, ValueError) as fault:
            partial.unlink(missing_ok=True)
            self.warnings.append(f"{source.path} is no readable picture ({fault}); left out.")
            return None
        return {"file": name, "label": label, "split": split}


def letterbox(data: bytes, size: int = 224, ground: tuple[int, int, int] = (128, 128, 128)) -> Image.Image:
    """The picture in `data`, whole, centred on a square of `size` pixels of the colour `ground` (RGB)."""
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGBA")
    image.thumbnail((size, size), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (size, size), ground)
    square.paste(image, ((size - image.width) // 2, (size - image.height) // 2), image)
    return square


def _write_manifest(recipe: Recipe, out_dir: Path) -> None:
    parts = {
        package.name: part
        for package in recipe.packages
        if (part := _read_part(out_dir, package.name)) is not None
    }
    manifest = {
        "version": 1,
        "sample_rate": SAMPLE_RATE,
        "recipe": recipe.name,
        "items": [item for part in parts.values() for item in part["items"]],
        "packages": {name: part["package"] for name, part in parts.items()},
        "pictures": [entry for part in parts.values() for entry in part["pictures"]],
        "distractors": [entry for part in parts.values() for entry in part["distractors"]],
        "warnings": [line for part in parts.values() for line in part["warnings"]],
    }
    _write_json(out_dir / "corpus.json", manifest)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
        os.replace(partial, path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


# ------------------------------------------------------------------------------------------------- the command line


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m sightmix.engine.training.corpus --recipe open --cache DIR --out DIR [--packages NAME …]`."""
    parser = argparse.ArgumentParser(prog="sightmix.engine.training.corpus", description=__doc__)
    parser.add_argument("--recipe", default="open", help="name or path of a recipe (default: open)")
    parser.add_argument("--cache", type=Path, required=True, help="folder of the downloaded packages")
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--packages", nargs="+", help="only these packages of the recipe")
    options = parser.parse_args(arguments)
    try:
        corpus = build_corpus(options.recipe, options.cache, options.out, Progress(_print_step), options.packages)
    except TrainingError as fault:
        print(fault, file=sys.stderr)
        return 1
    for kind, hours in corpus.hours().items():
        print(kind, *(f"{split} {value:.2f} h" for split, value in hours.items()), sep="  ")
    return 0


def _print_step(step: Step) -> None:
    if step.unit == "packages":
        print(f"{step.done:.0f}/{step.total:.0f} {step.item}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
