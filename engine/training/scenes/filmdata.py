"""Muddy Mix from films and stems: ten-second clips, separated, spoilt and written as shards that survive a kill."""

from __future__ import annotations

import hashlib
import io
import json
import math
import multiprocessing
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...context.encoders import DEFAULT_ENCODER, PictureEncoder, load_encoder
from ...errors import MediaError, SettingsError, TrainingError
from ...files import replacing, sweep, write_error, write_text
from ...locks import holding_folder
from ...media.picture import sample_frames
from ...media.reader import probe, read_span
from ...progress import Progress, Step
from ...separation.base import Separator
from ...separation.registry import load_separator
from ...version import SHIPPED_MODEL, engine_version
from ...weights.card import file_digest
from ...weights.store import list_cards
from ..material.films import Film, find_films
from ..material.levels import SAMPLE_RATE, STEMS, Array, stem_loudness
from ..material.recipes import SPLITS
from ..workers import begin_worker
from .dice import Dice
from .muddy import POLICIES
from .settings import PRODUCT
from .shards import MANIFEST, SCHEMA, Clip, choose_name, shard_records, spoil_clip, write_shard

MIXTURE = "mixture"
MARGIN = 1  # seconds of film a separator hears before and after a clip
QUIETEST = -60.0  # LUFS of the loudest stem; a quieter clip teaches nothing
_BUILDER = 2  # raised whenever the same settings would give other clips
_AT_ONCE = 16
_POLL = 0.2


@dataclass(frozen=True)
class MuddyMix:
    """How shards are made. Shares are 0…1.

    `policy` is one of the degradations, or "mixture": drawn by the shares that training scenes use, `untouched` of the
    clips staying as they are. `encoder` "" leaves pictures out; `frames` keeps the pictures beside their features.
    """

    separator: str = SHIPPED_MODEL
    policy: str = MIXTURE
    untouched: float = PRODUCT.untouched
    seconds: float = 10.0
    per_shard: int = 64
    encoder: str = DEFAULT_ENCODER
    frames: bool = True
    seed: int = 0
    device: str = "cpu"
    licence: str = ""
    validation: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        if self.policy not in (MIXTURE, *POLICIES):
            known = ", ".join((MIXTURE, *POLICIES))
            raise SettingsError(f"Unknown degradation policy '{self.policy}': use one of {known}.")
        if not 1 <= self.seconds <= 60 or self.per_shard < 1:
            raise SettingsError("Clips last 1 to 60 s, and a shard holds at least one.")
        if min(self.validation, self.test, self.untouched) < 0 or self.validation + self.test > 1:
            raise SettingsError("Shares of validation, test and untouched clips lie between 0 and 1.")

    @property
    def samples(self) -> int:
        """Samples of a clip at 44.1 kHz."""
        return round(self.seconds * SAMPLE_RATE)


@dataclass(frozen=True)
class _Shard:
    """A shard to be: clips `first` … `first + count - 1` of a film, and what its content depends on."""

    film: Film
    number: int
    first: int
    count: int
    fingerprint: str

    @property
    def file(self) -> str:
        """Its path inside the folder of shards."""
        return f"{self.film.split}/{self.film.id}-{self.number:04d}.tar"

    @property
    def part(self) -> str:
        """The path of the list of its clips."""
        return f"parts/{self.film.id}-{self.number:04d}.json"


def build_shards(
    sources: Sequence[Path],
    out: Path,
    settings: MuddyMix,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Build (or go on building) muddy-mix shards of films and stems in `out`; returns the manifest, also written there.

    A shard that is there is kept as it is, so a build that was stopped or killed goes on where it was, and gives the
    same shards as one in a single run. Films that cannot be read are left out, and the manifest says why. Raises
    `SettingsError` where `out` was built otherwise, `MediaError` where nothing can be used, `ModelError` for the
    separator or the encoder, `WriteError`, `TrainingError` when a worker dies, and `Cancelled`.
    """
    progress = progress or Progress()
    out = Path(out)
    films = find_films(sources, settings.licence, settings.validation, settings.test)
    shards, left_out = _plan(films, settings)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(out, error) from error
    with holding_folder(out):
        todo = [shard for shard in shards if not _is_built(shard, out)]
        for folder in (out, *out.glob("*/")):
            sweep(folder)
        builder = Builder(settings, out)
        try:
            if todo:
                builder.check(any(not shard.film.is_stems for shard in todo))
                crew = _Crew(builder, workers, progress)
                done = sum(shard.count for shard in shards) - sum(shard.count for shard in todo)
                left_out += crew.run(todo, done)
        finally:
            manifest = _manifest(films, shards, left_out, settings, out)
    if not manifest["clips"]:
        why = f": {left_out[0]['reason']}" if left_out else "."
        raise MediaError(f"Nothing of {', '.join(str(s) for s in sources)} could be used{why}")
    return manifest


# The plan ----------------------------------------------------------------------------------------------


def _plan(films: Sequence[Film], settings: MuddyMix) -> tuple[list[_Shard], list[dict[str, str]]]:
    """Shards of all films, and the films left out with the reason."""
    shards: list[_Shard] = []
    left_out: list[dict[str, str]] = []
    for film in films:
        try:
            clips = math.floor(film.duration / Fraction(settings.samples, SAMPLE_RATE))
        except MediaError as error:
            left_out.append({"film": film.name, "reason": str(error)})
            continue
        if not clips:
            reason = f"{film.name} is shorter than {settings.seconds:g} s."
            left_out.append({"film": film.name, "reason": reason})
        fingerprint = _fingerprint(film, settings)
        for number, first in enumerate(range(0, clips, settings.per_shard)):
            count = min(settings.per_shard, clips - first)
            shards.append(_Shard(film, number, first, count, fingerprint))
    return shards, left_out


def _fingerprint(film: Film, settings: MuddyMix) -> str:
    """A digest of everything a film's shards depend on."""
    used = asdict(replace(settings, licence="", device="", validation=0.0, test=0.0))
    if film.is_stems:
        used["separator"] = ""
    sizes = [(role, path.name, path.stat().st_size) for role, path in film.files]
    picture = film.picture.stat().st_size if film.picture and settings.encoder else None
    facts = [_BUILDER, used, film.name, sizes, picture, film.licence, film.credit, film.split]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _is_built(shard: _Shard, out: Path) -> bool:
    """Whether a shard is there; raises `SettingsError` if it differs. A list that a kill came before is written."""
    path = out / shard.file
    if not path.exists():
        return False
    part = _read_part(out / shard.part)
    if part is None or part["size"] != path.stat().st_size:
        records = shard_records(path)
        if records and records[0].get("fingerprint") != shard.fingerprint:
            raise _otherwise(path)
        _write_part(shard, out, records)
    elif part["fingerprint"] != shard.fingerprint:
        raise _otherwise(path)
    return True


def _otherwise(path: Path) -> SettingsError:
    return SettingsError(
        f"The shard {path} was built with other settings, or its film has changed: choose another folder, "
        "give the settings it was built with, or remove it."
    )


def _read_part(path: Path) -> dict[str, Any] | None:
    try:
        part: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return part


def _write_part(shard: _Shard, out: Path, records: Sequence[dict[str, Any]]) -> None:
    path = out / shard.file
    part = {
        "fingerprint": shard.fingerprint,
        "file": shard.file,
        "split": shard.film.split,
        "size": path.stat().st_size,
        "sha256": file_digest(path),
        "silent": shard.count - len(records),
        "clips": records,
    }
    write_text(out / shard.part, json.dumps(part, ensure_ascii=False), parents=True)


# The work ----------------------------------------------------------------------------------------------


class Builder:
    """Makes single shards; one in every process, its models loaded when they are first needed."""

    def __init__(self, settings: MuddyMix, out: Path) -> None:
        self.settings, self.out = settings, out

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings, "out": self.out}

    @cached_property
    def separator(self) -> Separator:
        """The separator. Raises `ModelError`."""
        return load_separator(self.settings.separator, self.settings.device, threads=1)

    @cached_property
    def encoder(self) -> PictureEncoder:
        """The picture encoder. Raises `ModelError`."""
        device = "cuda" if self.settings.device.startswith("cuda") else "cpu"
        return load_encoder(self.settings.encoder, device, threads=1)

    def check(self, separating: bool) -> None:
        """Load what will be needed, so that what is missing is said before any work is done."""
        _ = self.separator if separating else None
        _ = self.encoder if self.settings.encoder else None

    def look(self, film: Film, seconds: int, progress: Progress) -> str:
        """Encode a picture a second of a film's first `seconds`, once; why there are none, or ""."""
        path = self._cache(film)
        if not self.settings.encoder or film.picture is None or path.exists():
            return ""
        try:
            if probe(film.picture).video is None:
                return ""
            features, pictures = self._encoded(film.picture, seconds, film.name, progress)
        except MediaError as error:
            return f"no pictures: {error}"
        ends = np.cumsum([len(data) for data in pictures])
        with replacing(path, parents=True) as file:
            np.savez(file, features=features, ends=ends, jpegs=np.frombuffer(b"".join(pictures), np.uint8))
        return ""

    def build(self, shard: _Shard, progress: Progress) -> None:
        """Write one shard and the list of its clips. Raises `MediaError`, `ModelError`, `WriteError`, `Cancelled`."""
        features, pictures = self._pictures(shard.film)
        records = write_shard(self.out / shard.file, self._clips(shard, features, pictures, progress))
        _write_part(shard, self.out, records)

    def _cache(self, film: Film) -> Path:
        size = film.picture.stat().st_size if film.picture else 0
        return self.out / "pictures" / f"{film.id}.{self.settings.encoder}.{size}.npz"

    def _encoded(
        self, path: Path, seconds: int, name: str, progress: Progress
    ) -> tuple[NDArray[np.float16], list[bytes]]:
        """Features (seconds, C) and JPEGs of the pictures in the middle of each second."""
        size, rows, pictures = self.encoder.size, [], []
        times = [Fraction(2 * second + 1, 2) for second in range(seconds)]
        for start in range(0, seconds, _AT_ONCE):
            progress.report("pictures", name, start, seconds, "frames")
            frames = sample_frames(path, times[start : start + _AT_ONCE], size, size, progress)
            rows.append(self.encoder.encode(frames).astype(np.float16))
            pictures += [_jpeg(frame) for frame in frames] if self.settings.frames else []
        return np.concatenate(rows), pictures

    def _pictures(self, film: Film) -> tuple[NDArray[np.float16], list[bytes]]:
        path = self._cache(film)
        if not self.settings.encoder or film.picture is None or not path.exists():
            return np.zeros((0, 0), np.float16), []
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                features, ends, jpegs = (
                    stored["features"],
                    stored["ends"].astype(int),
                    stored["jpegs"].tobytes(),
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise TrainingError(
                f"The pictures kept in {path} are damaged; remove the file and go on."
            ) from error
        return features, [jpegs[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)] if len(ends) else []

    def _clips(
        self, shard: _Shard, features: NDArray[np.float16], pictures: list[bytes], progress: Progress
    ) -> Iterator[Clip]:
        """The shard's clips, those without anything to hear left out."""
        settings, film = self.settings, shard.film
        for done, index in enumerate(range(shard.first, shard.first + shard.count)):
            progress.report("clips", film.name, done, shard.count, "clips")
            start = Fraction(index * settings.samples, SAMPLE_RATE)
            good = self._stems(film, start)
            if float(np.max(stem_loudness(good))) < QUIETEST:
                continue
            key = f"{film.id}-{index:05d}"
            seed = (settings.seed, zlib.crc32(key.encode()))
            dice = Dice("muddy mix", seed[1:], settings.seed)
            policy = settings.policy
            if policy == MIXTURE:
                policy = choose_name(dice, PRODUCT.policies, settings.untouched)
            muddy, gains, degradation = spoil_clip(good, policy, dice)
            seen = slice(math.floor(start), math.floor(start) + math.ceil(settings.seconds))
            record = {
                "film": film.name,
                "start": float(start),
                "duration": settings.samples / SAMPLE_RATE,
                "sample_rate": SAMPLE_RATE,
                "split": film.split,
                "licence": film.licence,
                "credit": film.credit,
                "separator": "" if film.is_stems else self.separator.name,
                "encoder": settings.encoder if len(features[seen]) else "",
                "degradation": {**degradation, "seed": list(seed)},
                "fingerprint": shard.fingerprint,
            }
            yield Clip(key, muddy, gains, record, features[seen], tuple(pictures[seen]))

    def _stems(self, film: Film, start: Fraction) -> Array:
        """The stems (3, samples) of the film's own mix from `start` seconds on, mono at 44.1 kHz."""
        samples = self.settings.samples
        if film.is_stems:
            stems = np.zeros((3, samples), np.float32)
            for role, path in film.files:
                stems[STEMS.index(role)] += _mono(path, start, samples)
            return stems
        around = _mono(film.files[0][1], start - MARGIN, samples + 2 * MARGIN * SAMPLE_RATE)
        stems = self.separator.separate(around[None], SAMPLE_RATE)[:, 0]
        return np.ascontiguousarray(stems[:, MARGIN * SAMPLE_RATE : MARGIN * SAMPLE_RATE + samples])


def _mono(path: Path, start: Fraction, samples: int) -> Array:
    """`samples` of a file's downmix at 44.1 kHz from `start` seconds on, silence where it has none."""
    stream = probe(path).audio[0]
    sound = read_span(path, start, Fraction(samples, SAMPLE_RATE), rate=SAMPLE_RATE)
    return np.asarray(stream.layout.mono @ sound, np.float32)


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(frame).save(out, format="JPEG", quality=90)
    return out.getvalue()


# The crew ----------------------------------------------------------------------------------------------

_mine: Builder | None = None
_stopped: Any = None


def _start(builder: Builder, stopped: Any) -> None:
    """Begin a worker process with a builder of its own."""
    global _mine, _stopped
    begin_worker()
    _mine, _stopped = builder, stopped


def _watched() -> Progress:
    progress = Progress()

    def observe(_: Step) -> None:
        if _stopped.is_set():
            progress.cancel()

    progress.observe = observe
    return progress


def _look_there(film: Film, seconds: int) -> str:
    assert _mine is not None
    return _mine.look(film, seconds, _watched())


def _build_there(shard: _Shard) -> str:
    assert _mine is not None
    return _attempt(_mine, shard, _watched())


def _attempt(builder: Builder, shard: _Shard, progress: Progress) -> str:
    """Build a shard; why it was left out, or ""."""
    try:
        builder.build(shard, progress)
    except MediaError as error:
        return str(error)
    return ""


class _Crew:
    """Builds shards here, or in several processes."""

    def __init__(self, builder: Builder, workers: int, progress: Progress) -> None:
        self.builder, self.workers, self.progress = builder, workers, progress

    def run(self, todo: Sequence[_Shard], done: int) -> list[dict[str, str]]:
        """Build every shard; returns what was left out and why. `done` clips are there already."""
        seconds: dict[Film, int] = {}
        for shard in todo:
            end = math.ceil((shard.first + shard.count) * self.builder.settings.seconds)
            seconds[shard.film] = max(end, seconds.get(shard.film, 0))
        total = done + sum(shard.count for shard in todo)
        if self.workers <= 1:
            return self._here(todo, seconds, done, total)
        context = multiprocessing.get_context("spawn")
        stopped = context.Event()
        pool = ProcessPoolExecutor(self.workers, context, _start, (self.builder, stopped))
        try:
            return self._there(pool, todo, seconds, done, total)
        except BrokenProcessPool as error:
            raise TrainingError(
                "A worker process died, perhaps for want of memory: give the command again with fewer --workers; "
                "finished shards are kept."
            ) from error
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)

    def _here(
        self, todo: Sequence[_Shard], seconds: dict[Film, int], done: int, total: int
    ) -> list[dict[str, str]]:
        left_out = []
        for shard in todo:
            self.progress.report("shards", shard.film.name, done, total, "clips")
            why = self.builder.look(shard.film, seconds.pop(shard.film, 0), self.progress)
            left_out += [{"film": shard.film.name, "reason": why}] if why else []
            why = _attempt(self.builder, shard, self.progress)
            left_out += [{"film": shard.film.name, "reason": why}] if why else []
            done += shard.count
        self.progress.report("shards", "", done, total, "clips")
        return left_out

    def _there(
        self,
        pool: ProcessPoolExecutor,
        todo: Sequence[_Shard],
        seconds: dict[Film, int],
        done: int,
        total: int,
    ) -> list[dict[str, str]]:
        """Pictures of every film first, its shards as soon as they are there."""
        waiting: dict[Future[str], Film | _Shard] = {
            pool.submit(_look_there, film, length): film for film, length in seconds.items()
        }
        left_out = []
        while waiting:
            self.progress.check()
            ready, _ = wait(waiting, _POLL, FIRST_COMPLETED)
            for future in ready:
                what = waiting.pop(future)
                name = what.name if isinstance(what, Film) else what.film.name
                if why := future.result():
                    left_out.append({"film": name, "reason": why})
                if isinstance(what, Film):
                    mine = [shard for shard in todo if shard.film == what]
                    waiting |= {pool.submit(_build_there, shard): shard for shard in mine}
                else:
                    done += what.count
                self.progress.report("shards", name, done, total, "clips")
        return left_out


# The manifest ------------------------------------------------------------------------------------------


def _manifest(
    films: Sequence[Film],
    shards: Sequence[_Shard],
    left_out: Sequence[dict[str, str]],
    settings: MuddyMix,
    out: Path,
) -> dict[str, Any]:
    """Gather the lists of all finished shards into the manifest, and write it."""
    parts = [(s, part) for s in shards if (out / s.file).exists() and (part := _read_part(out / s.part))]
    clips = [{**clip, "shard": part["file"]} for _, part in parts for clip in part["clips"]]
    hours = dict.fromkeys(SPLITS, 0.0)
    for clip in clips:
        hours[clip["split"]] += clip["duration"] / 3600
    digests = {card.name: card.sha256 for card in list_cards()}
    used = {shard.film for shard, _ in parts}
    manifest = {
        "schema": SCHEMA,
        "version": engine_version(),
        "settings": asdict(settings),
        "weights_sha256": {
            name: digests[name] for name in (settings.separator, settings.encoder) if name in digests
        },
        "hours": {split: round(value, 6) for split, value in hours.items()},
        "silent": sum(part["silent"] for _, part in parts),
        "left_out": list(left_out),
        "films": [_about(film) for film in films if film in used],
        "shards": [
            {**{n: part[n] for n in ("file", "split", "size", "sha256")}, "clips": len(part["clips"])}
            for _, part in parts
        ],
        "clips": clips,
    }
    if parts:
        write_text(out / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False), parents=True)
    return manifest


def _about(film: Film) -> dict[str, Any]:
    return {
        "id": film.id,
        "name": film.name,
        "kind": "stems" if film.is_stems else "film",
        "files": [[role, path.name] for role, path in film.files],
        "picture": film.picture.name if film.picture else None,
        "licence": film.licence,
        "credit": film.credit,
        "split": film.split,
    }
