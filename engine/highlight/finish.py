"""The loudness stage: one gain and a true-peak ceiling on a rendered file, and the same gain on its stems."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..media.container import open_media
from ..media.ixml import read_ixml
from ..media.limiter import Limiter
from ..media.loudness import Meter
from ..media.reader import probe, read_blocks
from ..media.takes import Takes
from ..media.writer import Bext, Subtype, WavWriter
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
    stamp: int | None = None,
) -> Rendition:
    """Write a rendition into `folder` with `gain_db` applied and its true peak (ITU-R BS.1770 annex 2) held.

    Stems get the gain but no limiter, so that they still sum to the sound before limiting; a warning says so
    where the limiter had work to do. Raw stems keep their samples: the gain belongs to their curves. Files keep
    rate and channels, and their names unless `stem_name` gives a new one; they have 24 bits, or floats where full
    scale is passed all the same. `stamp` is a new BWF time reference in samples since midnight. Returns the new
    rendition, with `makeup_db` raised by the gain. Raises SettingsError for figures that are not finite,
    MediaError and WriteError.
    """
    if not (math.isfinite(gain_db) and math.isfinite(ceiling_dbtp)):
        raise SettingsError(
            f"A gain of {gain_db} dB under a ceiling of {ceiling_dbtp} dBTP is not possible; "
            "give finite figures."
        )
    name = rendition.path.stem if stem_name is None else stem_name
    stage = _Stage(rendition, gain_db, progress, stamp)
    stem_stage = replace(stage, gain_db=0.0) if rendition.raw_stems else stage
    path = folder / f"{name}.wav"
    after = stage.copy(rendition.path, path, ceiling_dbtp)
    stems = {}
    for stem, source in rendition.stems.items():
        stems[stem] = folder / f"{name}.{stem}.wav"
        stem_stage.copy(source, stems[stem], None)
    return replace(
        rendition,
        path=path,
        stems=stems,
        after=after,
        stem_levels={stem: (was, now + gain_db) for stem, (was, now) in rendition.stem_levels.items()},
        makeup_db=rendition.makeup_db + gain_db,
        warnings=(*rendition.warnings, *_limiting(rendition, gain_db, ceiling_dbtp)),
    )


def stamp_of(path: Path) -> Bext:
    """The broadcast extension of a WAV file: description, originator and time reference."""
    with open_media(path) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    reference = tags.get("time_reference", "0")
    return Bext(
        description=tags.get("comment", tags.get("description", "")),
        originator=tags.get("encoded_by", tags.get("originator", "sightmix")),
        time_reference=int(reference) if reference.isdecimal() else 0,
    )


@dataclass(frozen=True)
class _Stage:
    """One gain for all files of a rendition."""

    rendition: Rendition
    gain_db: float
    progress: Progress
    stamp: int | None

    def copy(self, source: Path, target: Path, ceiling_dbtp: float | None) -> Loudness:
        """Write `source` to `target`, limited if there is a ceiling, and return its new figures."""
        bext = stamp_of(source)
        if self.stamp is not None:
            bext = replace(bext, time_reference=self.stamp)
        return self._write(source, target, ceiling_dbtp, bext)

    def _write(self, source: Path, target: Path, ceiling_dbtp: float | None, bext: Bext) -> Loudness:
        rate, channels = self.rendition.sample_rate, self.rendition.channels
        layout = probe(source).audio[0].layout
        meter = Meter(rate, channels, layout)
        done = 0
        ixml = read_ixml(source)

        def writer(path: Path, subtype: Subtype) -> WavWriter:
            return WavWriter(path, rate, channels, subtype=subtype, bext=bext, ixml=ixml, layout=layout)

        with Takes([target], writer) as take:
            blocks = read_blocks(source, 0, self.rendition.samples)
            for block in levelled(blocks, self.rendition, self.gain_db, ceiling_dbtp):
                take.write([block])
                meter.push(block)
                done += block.shape[-1]
                self.progress.report(
                    "finish", self.rendition.identifier, done / rate, self.rendition.samples / rate
                )
            figures = meter.result()
            take.set_loudness(0, figures)
        return figures


def levelled(
    blocks: Iterable[NDArray[np.float32]], rendition: Rendition, gain_db: float, ceiling_dbtp: float | None
) -> Iterator[NDArray[np.float32]]:
    """Blocks (channels, n) of a rendition with the gain applied, and limited if there is a ceiling in dBTP."""
    gain = np.float32(10.0 ** (gain_db / 20.0))
    limiter = None
    if ceiling_dbtp is not None:
        limiter = Limiter(rendition.sample_rate, rendition.channels, ceiling_dbtp)
    for block in blocks:
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
