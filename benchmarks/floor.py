"""The floor under every tool's time: decode at the model's rate plus a WAV copy. FILM MINUTES OUT"""

from __future__ import annotations

import sys
from pathlib import Path

from sightmix.engine.highlight.config import MODEL_RATE
from sightmix.engine.media.reader import probe, read_blocks
from sightmix.engine.media.resample import Resampler
from sightmix.engine.media.writer import WavWriter


def main(film: Path, minutes: float, out: Path) -> None:
    """Stream the film's first minutes to `out`, and to a model that hears nothing of it."""
    rate, channels = probe(film).audio[0].sample_rate, probe(film).audio[0].channels
    samples = round(minutes * 60 * rate)
    resampler = Resampler(rate, MODEL_RATE, 1)
    taken = 0
    with WavWriter(out, rate, channels) as writer:
        for block in read_blocks(film, 0, samples):
            taken += block.shape[1]
            resampler.process(block.mean(axis=0, keepdims=True), taken == samples)
            writer.write(block)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
