"""The loudness stage: one gain and a true-peak ceiling on a rendered file, and the same gain on its stems."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..media.limiter import Limiter
from ..media.loudness import Meter
from ..media.reader import probe, read_blocks
from ..media.writer import WavWriter
from ..passage import Loudness, Rendition
from ..progress import Progress

_AUDIBLE = 0.1  # dB of limiting below which nobody needs to be told


def finish(
    rendition: Rendition,
    gain_db: float,
    ceiling_dbtp: float,
    folder: Path,
    progress: Progress,
    stem_name: str | None = None,
) -> Rendition:
    """Write a rendition into `folder` with `gain_db` applied and its true peak (ITU-R BS.1770 annex 2) held.

    Stems get the gain but no limiter, so that they still sum to the sound before limiting; a warning says so
    where the limiter had work to do. Files keep rate and channels, have 24 bits, and keep their names unless
    `stem_name` gives a new one. Returns the new rendition, with `makeup_db` raised by the gain. Raises
    SettingsError for figures that are not finite, MediaError and WriteError.
    """
    if not (math.isfinite(gain_db) and math.isfinite(ceiling_dbtp)):
        raise SettingsError(
            f"A gain of {gain_db} dB under a ceiling of {ceiling_dbtp} dBTP is not possible; "
            "give finite figures."
        )
    limiter = Limiter(rendition.sample_rate, rendition.channels, ceiling_dbtp)
    name = rendition.path.stem if stem_name is None else stem_name
    path = folder / f"{name}.wav"
    after = _copy(rendition, rendition.path, path, gain_db, limiter, progress)
    stems = {}
    for stem, source in rendition.stems.items():
        stems[stem] = folder / f"{name}.{stem}.wav"
        _copy(rendition, source, stems[stem], gain_db, None, progress)
    return replace(
        rendition,
        path=path,
        stems=stems,
        after=after,
        stem_levels={stem: (was, now + gain_db) for stem, (was, now) in rendition.stem_levels.items()},
        makeup_db=rendition.makeup_db + gain_db,
        warnings=(*rendition.warnings, *_limiting(rendition, gain_db, ceiling_dbtp)),
    )


def _copy(
    rendition: Rendition,
    source: Path,
    target: Path,
    gain_db: float,
    limiter: Limiter | None,
    progress: Progress,
) -> Loudness:
    rate = rendition.sample_rate
    meter = Meter(rate, rendition.channels, probe(source).audio[0].layout)
    done = 0
    with WavWriter(target, rate, rendition.channels, subtype="PCM_24") as writer:
        for block in _processed(source, rendition, gain_db, limiter):
            writer.write(block)
            meter.push(block)
            done += block.shape[-1]
            progress.report("finish", rendition.identifier, done / rate, rendition.samples / rate)
    return meter.result()


def _processed(
    source: Path, rendition: Rendition, gain_db: float, limiter: Limiter | None
) -> Iterator[NDArray[np.float32]]:
    gain = np.float32(10.0 ** (gain_db / 20.0))
    for block in read_blocks(source, 0, rendition.samples):
        louder = block * gain
        yield louder if limiter is None else limiter.process(louder)
    if limiter is not None:
        yield limiter.process(np.zeros((rendition.channels, 0), np.float32), last=True)


def _limiting(rendition: Rendition, gain_db: float, ceiling_dbtp: float) -> tuple[str, ...]:
    over = rendition.after.true_peak + gain_db - ceiling_dbtp
    if not over > _AUDIBLE:
        return ()
    text = f"The limiter lowered the highest peak by {over:.1f} dB to stay below {ceiling_dbtp:.1f} dBTP"
    tail = "; the stems are not limited and sum to the sound before the limiter." if rendition.stems else "."
    return (text + tail,)
