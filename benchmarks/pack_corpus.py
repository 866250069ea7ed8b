"""Packs part of a training corpus small enough to travel, and unpacks it where it arrives.

pack CORPUS OUT [--mib 30]    an even choice of the corpus as Ogg Vorbis, with its list and picture features
unpack PACKED OUT             the corpus as the training loop reads it
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

SHARES = {"effects": 0.45, "music": 0.33, "speech": 0.22}  # effects are the scarce class
BYTES_PER_SECOND = 6_300  # of the Vorbis written here, mono at 44.1 kHz, over the open corpus
QUALITY = 0.9  # libsndfile's scale: 1 is smallest
SPLITS = ("train", "validation")
BLOCK = 1 << 16
FEATURES = "pictures.npz"

Entry = dict[str, Any]


def choose(items: Iterable[Entry], budget_seconds: dict[str, float], rate: int) -> list[Entry]:
    """An even choice of each kind's items, package by package, as long as its budget lasts."""
    chosen: list[Entry] = []
    listed = [item for item in items if item["split"] in SPLITS]
    for kind, budget in budget_seconds.items():
        mine = [item for item in listed if item["kind"] == kind]
        order = sorted(range(len(mine)), key=lambda i: (i * 0.6180339887498949) % 1.0)
        left = budget * rate
        for index in order:
            if mine[index]["samples"] <= left:
                chosen.append(mine[index])
                left -= mine[index]["samples"]
    return sorted(chosen, key=lambda item: (item["file"], item["start"]))


def pack(corpus: Path, out: Path, mib: float) -> None:
    """Write `corpus.json`, one Ogg file for each file of the corpus, and the picture features."""
    manifest = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    rate = manifest["sample_rate"]
    seconds = mib * 2**20 / BYTES_PER_SECOND
    chosen = choose(manifest["items"], {kind: share * seconds for kind, share in SHARES.items()}, rate)
    out.mkdir(parents=True, exist_ok=True)
    packed: list[Entry] = []
    for name in sorted({item["file"] for item in chosen}):
        mine = [item for item in chosen if item["file"] == name]
        sound = np.memmap(corpus / name, "<i2", "r")
        _encode(
            (sound[item["start"] : item["start"] + item["samples"]] for item in mine),
            out / f"{name}.ogg",
            rate,
        )
        start = 0
        for item in mine:
            packed.append({**item, "start": start})
            start += item["samples"]
    manifest |= {"items": packed, "pictures": [], "distractors": [], "warnings": []}
    (out / "corpus.json").write_text(json.dumps(manifest), encoding="utf-8")
    if (corpus / FEATURES).exists():
        shutil.copyfile(corpus / FEATURES, out / FEATURES)
    size = sum(path.stat().st_size for path in out.iterdir() if path.is_file())
    hours = {kind: sum(i["samples"] for i in packed if i["kind"] == kind) / rate / 3600 for kind in SHARES}
    print(f"{size / 2**20:.1f} MiB: " + ", ".join(f"{value:.2f} h {kind}" for kind, value in hours.items()))


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


def unpack(packed: Path, out: Path) -> None:
    """Decode every file to the raw samples that the list counts in."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(packed.glob("*.ogg")):
        with (out / path.stem).open("wb") as raw:
            for block in _decode(path):
                raw.write(block.astype("<i2").tobytes())
    for name in ("corpus.json", FEATURES):
        if (packed / name).exists():
            shutil.copyfile(packed / name, out / name)


def _decode(path: Path) -> Iterator[np.ndarray]:
    with soundfile.SoundFile(path) as file:
        yield from file.blocks(BLOCK, dtype="int16")


def main() -> None:
    """Pack or unpack."""
    parser = argparse.ArgumentParser(description="Pack a training corpus for a short journey.")
    parser.add_argument("what", choices=("pack", "unpack"))
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mib", type=float, default=30.0, help="how large the sound may get")
    options = parser.parse_args()
    if options.what == "pack":
        pack(options.source, options.out, options.mib)
    else:
        unpack(options.source, options.out)


if __name__ == "__main__":
    main()
