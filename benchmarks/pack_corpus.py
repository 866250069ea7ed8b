"""Packs a training corpus in parts small enough to travel, and joins those that have arrived.

pack CORPUS OUT [--mib 22] [--parts 4]    OUT/part-0, OUT/part-1, …: each an even choice of what those before have left
unpack PART OUT                           adds a part to the corpus in OUT, as the training loop reads it

The first part has all that is validated on, so that figures before and after another part can be compared, and what
is known of the pictures. Any other part is for training alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

SHARES = {"effects": 0.45, "music": 0.33, "speech": 0.22}  # effects are the scarce class
HELD_SHARE = 0.2  # of the first part, at most, for validation
BYTES_PER_SECOND = 6_300  # of the Vorbis written here, mono at 44.1 kHz, over the open corpus
QUALITY = 0.9  # libsndfile's scale: 1 is smallest
BLOCK = 1 << 16
MANIFEST, PACKED_MANIFEST = "corpus.json", "corpus.json.gz"
FEATURES = ("pictures.npz", "captions.npz")

Entry = dict[str, Any]


def choose(items: Iterable[Entry], budget_seconds: dict[str, float], rate: int) -> list[Entry]:
    """An even choice of each kind's items, package by package, as long as its budget lasts; one at least of each."""
    chosen: list[Entry] = []
    listed = list(items)
    for kind, budget in budget_seconds.items():
        mine = [item for item in listed if item["kind"] == kind]
        order = sorted(range(len(mine)), key=lambda i: (i * 0.6180339887498949) % 1.0)
        left = budget * rate
        for index in order:
            if mine[index]["samples"] <= left or index == order[0]:
                chosen.append(mine[index])
                left -= mine[index]["samples"]
    return sorted(chosen, key=lambda item: (item["file"], item["start"]))


def shares(items: list[Entry], parts: int, seconds: float, rate: int) -> list[list[Entry]]:
    """What goes into each part of so many seconds of sound.

    What a kind has not enough of to fill its share goes to the others.
    """
    held = [item for item in items if item["split"] == "validation"]
    left = [item for item in items if item["split"] == "train"]
    found: list[list[Entry]] = []
    for number in range(parts):
        room = seconds
        chosen: list[Entry] = []
        if number == 0:
            chosen = choose(held, {k: s * HELD_SHARE * seconds for k, s in SHARES.items()}, rate)
            room -= sum(item["samples"] for item in chosen) / rate
        chosen += choose(left, _budget(left, room, rate), rate)
        taken = {item["id"] for item in chosen}
        left = [item for item in left if item["id"] not in taken]
        if chosen:
            found.append(sorted(chosen, key=lambda item: (item["file"], item["start"])))
    return found


def _budget(items: list[Entry], seconds: float, rate: int) -> dict[str, float]:
    """Seconds of each kind: its share, or all there is, and then more of what there is more of."""
    there = {kind: sum(i["samples"] for i in items if i["kind"] == kind) / rate for kind in SHARES}
    budget = {kind: min(there[kind], share * seconds) for kind, share in SHARES.items()}
    for kind in sorted(SHARES, key=lambda k: there[k] - budget[k]):
        spare = seconds - sum(budget.values())
        budget[kind] += min(max(0.0, spare), there[kind] - budget[kind])
    return budget


def pack(corpus: Path, out: Path, mib: float, parts: int) -> None:
    """Write the parts: a list, one Ogg file for each file of the corpus, and in the first what pictures show."""
    manifest = json.loads((corpus / MANIFEST).read_text(encoding="utf-8"))
    rate = manifest["sample_rate"]
    chosen = shares(manifest["items"], parts, mib * 2**20 / BYTES_PER_SECOND, rate)
    for number, items in enumerate(chosen):
        part = out / f"part-{number}"
        part.mkdir(parents=True, exist_ok=True)
        packed: list[Entry] = []
        for name in sorted({item["file"] for item in items}):
            mine = [item for item in items if item["file"] == name]
            sound = np.memmap(corpus / name, "<i2", "r")
            _encode((sound[i["start"] : i["start"] + i["samples"]] for i in mine), part / f"{name}.ogg", rate)
            start = 0
            for item in mine:
                packed.append({**item, "start": start})
                start += item["samples"]
        listed = {**manifest, "items": packed, "warnings": []}
        (part / PACKED_MANIFEST).write_bytes(gzip.compress(json.dumps(listed).encode(), mtime=0))
        if number == 0:
            for name in FEATURES:
                _halve(corpus / name, part / name)
        size = sum(path.stat().st_size for path in part.iterdir())
        hours = {
            kind: sum(i["samples"] for i in packed if i["kind"] == kind) / rate / 3600 for kind in SHARES
        }
        told = ", ".join(f"{value:.2f} h {kind}" for kind, value in hours.items())
        print(f"{part.name}: {size / 2**20:.1f} MiB: {told}")


def _halve(source: Path, out: Path) -> None:
    """Features in half precision and compressed, where there are any."""
    if source.exists():
        with np.load(source, allow_pickle=False) as stored:
            np.savez_compressed(out, names=stored["names"], features=stored["features"].astype(np.float16))


def _encode(sounds: Iterable[np.ndarray], out: Path, rate: int) -> None:
    """Sounds one after another in one file; short writes, as long ones overflow the encoder's stack."""
    options = {
        "samplerate": rate,
        "channels": 1,
        "format": "OGG",
        "subtype": "VORBIS",
        "compression_level": QUALITY,
    }
    with soundfile.SoundFile(out, "w", **options) as file:
        for sound in sounds:
            for start in range(0, sound.size, BLOCK):
                file.write(np.asarray(sound[start : start + BLOCK]))


def unpack(part: Path, out: Path) -> None:
    """Add a part's sounds to the raw files of `out` and to its list; a part that is there already is passed over."""
    arrived: Entry = json.loads(gzip.decompress((part / PACKED_MANIFEST).read_bytes()))
    out.mkdir(parents=True, exist_ok=True)
    path = out / MANIFEST
    there: Entry = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {**arrived, "items": []}
    known = {item["id"] for item in there["items"]}
    new = [item for item in arrived["items"] if item["id"] not in known]
    if not new:
        return
    starts: dict[str, int] = {}
    for name in sorted({item["file"] for item in new}):
        with (out / name).open("ab") as raw:
            starts[name] = raw.seek(0, 2) // 2
            for block in _decode(part / f"{name}.ogg"):
                raw.write(block.astype("<i2").tobytes())
    there["items"] += [{**item, "start": item["start"] + starts[item["file"]]} for item in new]
    for name in FEATURES:
        if (part / name).exists():
            with np.load(part / name, allow_pickle=False) as stored:
                np.savez(out / name, names=stored["names"], features=stored["features"].astype(np.float32))
    # The list is what makes it count: a stop before leaves sound that nothing points to.
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(there), encoding="utf-8")
    shutil.move(partial, path)


def _decode(path: Path) -> Iterator[np.ndarray]:
    with soundfile.SoundFile(path) as file:
        yield from file.blocks(BLOCK, dtype="int16")


def main() -> None:
    """Pack or unpack."""
    parser = argparse.ArgumentParser(description="Pack a training corpus for a short journey.")
    parser.add_argument("what", choices=("pack", "unpack"))
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mib", type=float, default=22.0, help="how large the sound of a part may get")
    parser.add_argument("--parts", type=int, default=4, help="how many parts")
    options = parser.parse_args()
    if options.what == "pack":
        pack(options.source, options.out, options.mib, options.parts)
    else:
        unpack(options.source, options.out)


if __name__ == "__main__":
    main()
