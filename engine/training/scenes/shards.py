"""Muddy-mix shards: WebDataset tar files of film clips, written whole and read back as scenes in one fixed order."""

from __future__ import annotations

import io
import json
import math
import tarfile
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from ...errors import TrainingError
from ...files import replacing
from ..material.levels import HOP, SAMPLE_RATE, STEMS, Array, apply_gain, frames_of
from .dice import Dice
from .levels import activity, decibels, frame_power, loudness
from .muddy import POLICIES, choose_policy, heard, policy_numbers, spoil
from .scene import Scene
from .settings import SceneConfig

MANIFEST = "manifest.json"
SCHEMA = "sightmix.muddy-mix/1"
_STEMS, _GAINS, _FEATURES, _RECORD = "stems.flac", "gains.npy", "features.npy", "json"
_FEATURES_HELD = 64


@dataclass(frozen=True)
class Clip:
    """One clip of a shard.

    `stems` (3, samples) are the muddy stems at 44.1 kHz, their sum the muddy mix; `gains_db` (3, frames) lead back to
    the film's own mix. `features` (seconds, C) describe a picture each second, the first at 0.5 s, `pictures` are the
    same as JPEG. `record` says where the clip comes from and what was done to it.
    """

    key: str
    stems: Array
    gains_db: Array
    record: dict[str, Any]
    features: NDArray[np.floating[Any]] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    pictures: tuple[bytes, ...] = ()


def spoil_clip(good: Array, policy: str, dice: Dice) -> tuple[Array, Array, dict[str, Any]]:
    """Spoil a good mix's stems (3, samples): muddy stems, gains (3, frames) dB that undo it, a record."""
    stems = torch.from_numpy(good)[None]
    lufs = loudness(stems)
    spoilt = spoil(stems, dice, torch.tensor(policy_numbers([policy])), [policy], lufs)
    levels, loudest = lufs[0].tolist(), int(spoilt.loudest)
    record = {
        "policy": policy,
        "loudest": None if loudest < 0 else STEMS[loudest],
        "changes_db": [round(change, 3) for change in spoilt.changes_db[0].tolist()],
        "guard_db": round(float(spoilt.guard_db), 3),
        "levels_lufs": [round(level, 2) if math.isfinite(level) else None for level in levels],
        "present": heard(lufs)[0].isfinite().tolist(),
    }
    return spoilt.stems[0].numpy(), spoilt.gains_db[0].numpy(), record


def choose_name(dice: Dice, policies: Mapping[str, float], untouched: float) -> str:
    """The degradation policy of one clip, by the shares."""
    return POLICIES[int(choose_policy(dice, policies, untouched))]


# Writing -----------------------------------------------------------------------------------------------


def write_shard(path: Path, clips: Iterable[Clip]) -> list[dict[str, Any]]:
    """Write clips as one tar file, whole or not at all, and return their records as stored.

    The same clips give the same bytes. Raises `WriteError`.
    """
    records = []
    with (
        replacing(path, parents=True) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for clip in clips:
            members, record = _members(clip)
            for name, data in members.items():
                info = tarfile.TarInfo(f"{clip.key}.{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            records.append(record)
    return records


def _members(clip: Clip) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a clip by the endings of their names, the record with their checksums last."""
    # FLAC holds whole numbers up to full scale; a power of two leaves every sample as it is.
    peak = float(np.max(np.abs(clip.stems), initial=0.0))
    scale = 2.0 ** max(0, int(np.ceil(np.log2(max(peak, 1e-9) / 0.999))))
    sound = io.BytesIO()
    soundfile.write(sound, (clip.stems / np.float32(scale)).T, SAMPLE_RATE, format="FLAC", subtype="PCM_24")
    members = {_STEMS: sound.getvalue(), _GAINS: _packed(clip.gains_db)}
    if clip.features.size:
        members[_FEATURES] = _packed(clip.features)
    members |= {f"{n:02d}.jpg": data for n, data in enumerate(clip.pictures)}
    record = {
        **clip.record,
        "key": clip.key,
        "scale": scale,
        "pictures": int(clip.features.shape[0]),
        "context_dim": int(clip.features.shape[1]),
        "crc32": {name: zlib.crc32(data) for name, data in members.items()},
    }
    members[_RECORD] = json.dumps(record, ensure_ascii=False).encode()
    return members, record


def _packed(array: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


# Reading -----------------------------------------------------------------------------------------------


def damaged(path: Path, why: str) -> TrainingError:
    """The error for a shard that cannot be read."""
    return TrainingError(
        f"The shard {path} is damaged ({why}); remove it and give the same `sightmix data muddy-mix` again, "
        "which builds only what is missing."
    )


@lru_cache(maxsize=256)
def _index(path: Path, _mtime_ns: int, _size: int) -> dict[str, tuple[int, int]]:
    """Where each file of a shard begins, and its length."""
    with tarfile.open(path, "r:") as tar:
        return {member.name: (member.offset_data, member.size) for member in tar}


def read_members(path: Path, key: str, names: Iterable[str] | None = None) -> dict[str, bytes]:
    """Files of one clip by the endings of their names, all or those in `names` that are there.

    Raises `TrainingError` for a shard that is missing or damaged.
    """
    try:
        state = path.stat()
        index = _index(path, state.st_mtime_ns, state.st_size)
        start = f"{key}."
        wanted = [n.removeprefix(start) for n in index if n.startswith(start)] if names is None else names
        found = {}
        with path.open("rb") as file:
            for name in wanted:
                if start + name in index:
                    offset, size = index[start + name]
                    file.seek(offset)
                    found[name] = file.read(size)
    except (OSError, tarfile.TarError) as error:
        raise damaged(path, str(error)) from error
    return found


def shard_records(path: Path) -> list[dict[str, Any]]:
    """The records of a shard's clips, in order. Raises `TrainingError` if it is damaged."""
    try:
        state = path.stat()
        names = list(_index(path, state.st_mtime_ns, state.st_size))
    except (OSError, tarfile.TarError) as error:
        raise damaged(path, str(error)) from error
    keys = [name.removesuffix(f".{_RECORD}") for name in names if name.endswith(f".{_RECORD}")]
    return [_record(path, key) for key in keys]


def _record(path: Path, key: str) -> dict[str, Any]:
    data = read_members(path, key, [_RECORD]).get(_RECORD)
    try:
        record: dict[str, Any] = json.loads(data or b"")
    except ValueError as error:
        raise damaged(path, f"clip {key} has no readable record") from error
    return record


def read_clip(path: Path, key: str) -> Clip:
    """One clip, every byte checked. Raises `TrainingError` naming the shard if it is damaged."""
    record = _record(path, key)
    members = read_members(path, key)
    try:
        for name, checksum in record["crc32"].items():
            if zlib.crc32(members[name]) != checksum:
                raise damaged(path, f"{key}.{name} has changed")
        sound, _ = soundfile.read(io.BytesIO(members[_STEMS]), dtype="float32", always_2d=True)
        stems = np.ascontiguousarray(sound.T) * np.float32(record["scale"])
        gains = np.load(io.BytesIO(members[_GAINS]), allow_pickle=False)
        features = np.zeros((0, 0), np.float32)
        if _FEATURES in members:
            features = np.load(io.BytesIO(members[_FEATURES]), allow_pickle=False).astype(np.float32)
    except (KeyError, TypeError, ValueError, RuntimeError, EOFError) as error:
        raise damaged(path, f"clip {key}: {error}") from error
    pictures = tuple(members[name] for name in sorted(members) if name.endswith(".jpg"))
    return Clip(key, stems, gains, record, features, pictures)


class ShardFolder:
    """A folder of shards by its manifest. Raises `TrainingError` if there is none."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        path = self.root / MANIFEST
        try:
            manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise TrainingError(
                f"There are no shards in {root}; build them with `sightmix data muddy-mix`."
            ) from None
        except (OSError, ValueError) as error:
            raise TrainingError(f"The list of shards {path} cannot be read: {error}.") from error
        if manifest.get("schema") != SCHEMA:
            raise TrainingError(f"The shards in {root} were made by another version; build them again.")
        self.manifest = manifest
        self._where = {clip["key"]: (clip["shard"], clip["split"]) for clip in manifest["clips"]}
        self._seconds = {clip["key"]: int(clip["pictures"]) for clip in manifest["clips"]}

    def keys(self, split: str) -> list[str]:
        """The clips of a split, in the manifest's order."""
        return [key for key, (_, where) in self._where.items() if where == split]

    def check_context(self, dim: int) -> None:
        """Raise `TrainingError` unless the pictures were described by as many numbers as a network takes (0: none)."""
        for clip in self.manifest["clips"]:
            if dim and clip["context_dim"] not in (0, dim):
                raise TrainingError(
                    f"The shards in {self.root} describe pictures by {clip['encoder']} in {clip['context_dim']} "
                    f"numbers, and the network takes {dim}: change 'context_dim', or build with another --context."
                )

    def pictures(self, key: str) -> int:
        """How many pictures a clip has; 0 for a clip there is not."""
        return self._seconds.get(key, 0)

    def clip(self, key: str) -> Clip:
        """One clip. Raises `TrainingError` naming the shard if it is damaged."""
        return read_clip(self.root / self._where[key][0], key)

    def features(self, key: str) -> Array:
        """A clip's picture features (seconds, C)."""
        path = self.root / self._where[key][0]
        try:
            data = read_members(path, key, [_FEATURES])[_FEATURES]
            return np.asarray(np.load(io.BytesIO(data), allow_pickle=False), np.float32)
        except (KeyError, ValueError, EOFError) as error:
            raise damaged(path, f"{key}.{_FEATURES}: {error}") from error


class ShardFeatures(Mapping[str, NDArray[np.float32]]):
    """Picture features (C,) by "CLIP:SECOND", read as they are asked for; the last few clips' are kept."""

    def __init__(self, root: Path) -> None:
        self._folder = ShardFolder(root)
        self._held: OrderedDict[str, Array] = OrderedDict()

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name not in self:
            raise KeyError(name)
        key, _, second = name.rpartition(":")
        if key not in self._held:
            self._held[key] = self._folder.features(key)
            if len(self._held) > _FEATURES_HELD:
                self._held.popitem(last=False)
        return self._held[key][int(second)]

    def __contains__(self, name: object) -> bool:
        key, _, second = str(name).rpartition(":")
        return second.isdigit() and int(second) < self._folder.pictures(key)

    def __iter__(self) -> Iterator[str]:
        for clip in self._folder.manifest["clips"]:
            yield from (f"{clip['key']}:{second}" for second in range(clip["pictures"]))

    def __len__(self) -> int:
        return sum(int(clip["pictures"]) for clip in self._folder.manifest["clips"])


class ShardScenes:
    """An endless, repeatable sequence of scenes from shards: `scenes[i]` is always the same.

    The first pass gives the clips as they were built; later passes in training spoil the film's mix anew, at a level
    shifted by `trim_sd`, by the policies of `config`, unless `redraw` is false. Validation stays as built, whatever the
    `seed`. `config.picture` is the share of training scenes shown with their pictures, so that one set of weights
    serves with and without. Scenes shorter than the clips are cut out of them. Gains lead back to the film's own mix,
    however far that is. Raises `TrainingError` where the split is empty, the clips are too short, or their
    pictures are not what a network with `context_dim` takes.
    """

    def __init__(
        self,
        root: Path,
        split: str,
        seconds: float,
        config: SceneConfig,
        context_dim: int = 0,
        seed: int = 0,
        redraw: bool = True,
    ) -> None:
        self.folder = ShardFolder(root)
        self.folder.check_context(context_dim)
        keys = self.folder.keys(split)
        if not keys:
            raise TrainingError(
                f"The shards in {root} have no clips in their {split} split: add films, or give one "
                f'"split": "{split}" in a JSON file beside it, and build again.'
            )
        self.split, self.config, self.seed, self.redraw = split, config, seed, redraw
        self._samples = round(seconds * SAMPLE_RATE)
        self._keys = keys
        self._epoch = -1
        self._order = np.zeros(0, np.int64)

    def __getitem__(self, index: int) -> Scene:
        epoch, place = divmod(index, len(self._keys))
        key = self._keys[self._placed(epoch, place)]
        dice = Dice(f"shards {self.split}", [index], self.seed)
        clip = self.folder.clip(key)
        training = self.split == "train"
        first = self._first_frame(clip, dice if training else None)
        part = slice(first * HOP, first * HOP + self._samples)
        stems = np.ascontiguousarray(clip.stems[:, part])
        gains = clip.gains_db[:, first : first + frames_of(self._samples)]
        record = {**clip.record, "first_frame": first}
        if training and epoch and self.redraw:
            stems, gains, record["degradation"] = self._anew(apply_gain(stems, gains), dice)
        active = activity(decibels(frame_power(torch.from_numpy(stems)))).numpy()
        gains = gains.astype(np.float32)
        shown = not training or bool(dice.chance("picture", self.config.picture))
        return Scene(stems, gains, active, record, self._pictures(clip, first) if shown else None)

    def first(self, count: int) -> list[Scene]:
        """The first `count` scenes: a fixed set to validate on."""
        return [self[i] for i in range(count)]

    def _placed(self, epoch: int, place: int) -> int:
        """Every epoch takes all clips once, each in an order of its own."""
        if epoch != self._epoch:
            dice = Dice(f"order of {self.split}", [epoch], self.seed)
            order = dice.uniform("order", len(self._keys))[0].argsort(stable=True)
            self._epoch, self._order = epoch, order.numpy()
        return int(self._order[place])

    def _first_frame(self, clip: Clip, dice: Dice | None) -> int:
        spare = clip.stems.shape[1] - self._samples
        if spare < 0:
            raise TrainingError(
                f"Scenes of {self._samples / SAMPLE_RATE:g} s cannot be cut from {clip.key}, which has "
                f"{clip.stems.shape[1] / SAMPLE_RATE:g} s: make 'seconds' smaller or build longer clips."
            )
        return 0 if dice is None else int(dice.below("first", spare // HOP + 1))

    def _anew(self, good: Array, dice: Dice) -> tuple[Array, Array, dict[str, Any]]:
        trim = self.config.trim_sd * float(dice.normal("trim", widest=2.0))
        policy = choose_name(dice, self.config.policies, self.config.untouched)
        muddy, gains, record = spoil_clip(good * np.float32(10.0 ** (trim / 20.0)), policy, dice)
        return muddy, gains, {**record, "trim_db": round(trim, 3)}

    def _pictures(self, clip: Clip, first: int) -> tuple[tuple[float, str], ...] | None:
        """The clip's pictures from the scene's beginning on, each from the second it stands for."""
        begin, length = first * HOP / SAMPLE_RATE, self._samples / SAMPLE_RATE
        shown = [
            (max(0.0, second - begin), f"{clip.key}:{second}")
            for second in range(clip.features.shape[0])
            if begin - 1 < second < begin + length
        ]
        return tuple(shown) or None


def shard_credits(root: Path) -> list[str]:
    """What a model trained on these shards was trained on: hours and licence of every film in the training split."""
    manifest = ShardFolder(root).manifest
    hours: dict[str, float] = {}
    for clip in manifest["clips"]:
        if clip["split"] == "train":
            hours[clip["film"]] = hours.get(clip["film"], 0.0) + clip["duration"] / 3600
    licences = {film["name"]: film["licence"] for film in manifest["films"]}
    return [f"{name}: {value:.2f} h; {licences[name]}" for name, value in sorted(hours.items())]
