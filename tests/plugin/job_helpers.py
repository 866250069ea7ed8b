"""A renderer that needs no model, and small timelines of real media, for the tests of jobs and command line."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
from sightmix.engine.edit.lanes import played
from sightmix.engine.edit.media import Library
from sightmix.engine.edit.reader import read_edit
from sightmix.engine.highlight.listening import Listening, Score, measured
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.reader import read_span
from sightmix.engine.media.writer import Bext, WavWriter, time_reference
from sightmix.engine.passage import GainCurves, Passage, Rendition, SeenFrame
from sightmix.engine.programme.sound import mixed, voices
from sightmix.engine.progress import Progress
from sightmix.plugin.timeline.load import load

RATE = 48_000

# Every clip by itself, as the model leaves it, in one file beside the original: what tests of single clips ask for.
ALONE: dict[str, Any] = {"unit": "clip", "loudness": "model", "as_": "baked", "keep_originals": True}


@dataclass
class FakeRenderer:
    """Scales the sound by strength and dialogue gain; slow, failing on names or endless on one if asked."""

    model_name: str = "fake-1"
    weights_sha256: str = "ab" * 32
    device: str = "cpu"
    gain_db: float = -3.0
    failing: dict[str, Exception] = field(default_factory=dict)
    pause: float = 0.0
    endless: str = ""
    calls: list[str] = field(default_factory=list)
    moves: tuple[float, float, float] = (4.0, -4.0, -2.0)

    def listen(self, score: Score, progress: Progress) -> Listening:
        """Constant gains for the three stems, and their levels as they are."""
        self.calls.append(f"listening to {score.name}")
        lufs, levels, unsure = measured(score, progress)
        gains = np.repeat(np.array([self.moves], np.float32).T, levels.shape[1], axis=1)
        return Listening(gains, levels, unsure, np.zeros(0, np.intp), lufs)

    def render(
        self, passage: Passage, settings: Any, folder: Path, stem_name: str, progress: Progress
    ) -> Rendition:
        self.calls.append(passage.name)
        if passage.name in self.failing:
            raise self.failing[passage.name]
        while passage.name == self.endless:
            progress.report("rebalance", passage.name, 0, 20)
            time.sleep(0.01)
        for step in range(20 if self.pause else 1):
            progress.report("rebalance", passage.name, step, 20)
            time.sleep(self.pause / 20)
        sound = passage.sound
        x = read_span(sound.path, passage.rendered_start, passage.rendered_duration, sound.channels)
        gain = 10 ** ((self.gain_db * settings.strength + settings.dialogue_db) / 20)
        path = folder / f"{stem_name}.wav"
        stamp = time_reference(passage.record_offset + passage.record_start - passage.head, RATE)
        write(path, x * np.float32(gain), stamp)
        stems = {}
        if settings.stems:
            for stem in ("speech", "music", "effects"):
                stems[stem] = folder / f"{stem_name}.{stem}.wav"
                share = 1 / 3 if getattr(settings, "raw_stems", False) else gain / 3
                write(stems[stem], x * np.float32(share), stamp)
        seconds = x.shape[1] / RATE
        times = np.arange(0, seconds, 0.1) - float(passage.head)
        curve = tuple(float(v) for v in np.sin(times) * 3)
        shots = [shot for shot in passage.shots if shot.path is not None]
        frames = tuple(
            SeenFrame(float(s.start), s.path, s.media_start, i) for i, s in enumerate(shots) if s.path
        )
        return Rendition(
            identifier=passage.identifier,
            path=path,
            start=-passage.head,
            samples=x.shape[1],
            sample_rate=RATE,
            channels=x.shape[0],
            before=measure(x, RATE),
            after=measure(x * np.float32(gain), RATE),
            gains=GainCurves(
                tuple(times.tolist()), {"speech": curve, "music": curve, "effects": tuple(0.0 for _ in curve)}
            ),
            stems=stems,
            raw_stems=bool(stems) and getattr(settings, "raw_stems", False),
            stem_levels={"speech": (-20.0, -21.0), "music": (-30.0, -31.5), "effects": (-40.0, -40.0)},
            frames=frames,
            provenance={"model": self.model_name, "seconds": {"network": 0.1}},
        )


def write(path: Path, x: np.ndarray[Any, Any], stamp: int = 0) -> None:
    with WavWriter(path, RATE, x.shape[0], bext=Bext(time_reference=stamp)) as writer:
        writer.write(x.astype(np.float32))


def tone(
    path: Path, seconds: float, level_db: float = -20.0, frequency: float = 440.0, channels: int = 2
) -> Path:
    t = np.arange(round(seconds * RATE)) / RATE
    x = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * t)
    write(path, np.stack([x] * channels).astype(np.float32))
    return path


def timeline_of(path: Path, clips: list[tuple[str, Path, float, float]], track: str = "A1") -> Path:
    """An OTIO file with one audio track of clips: name, media, start and duration in seconds at 25 fps."""
    timeline = otio.schema.Timeline("Test reel")
    audio = otio.schema.Track(track, kind=otio.schema.TrackKind.Audio)
    timeline.tracks.append(audio)
    for name, media, start, duration in clips:
        span = otio.opentime.TimeRange(
            otio.opentime.RationalTime(round(start * 25), 25),
            otio.opentime.RationalTime(round(duration * 25), 25),
        )
        reference = otio.schema.ExternalReference(target_url=str(media))
        audio.append(otio.schema.Clip(name, media_reference=reference, source_range=span))
    otio.adapters.write_to_file(timeline, str(path))
    return path


def heard(path: Path, seconds: float) -> np.ndarray:
    """What a timeline plays from its start on (n, 2), results of ours included."""
    edit = played(read_edit(load(path, keep=True).root, Library(path.parent)))
    lanes = [voices(track, RATE) for track in edit.tracks if track.kind == "audio" and track.enabled]
    found = [voice for lane in lanes for voice in lane]
    blocks = mixed([found], RATE, Layout.of_count(2), 0, round(seconds * RATE))
    return np.concatenate([block[0].T for block in blocks]).astype(np.float64)


def three_clips(folder: Path) -> Path:
    """A reel of three clips on two files, of different levels."""
    loud, soft = tone(folder / "loud.wav", 3, -12), tone(folder / "soft.wav", 3, -30, 900.0)
    clips = [("one", loud, 0.0, 1.0), ("two", soft, 0.48, 1.2), ("three", loud, 1.0, 1.0)]
    return timeline_of(folder / "reel.otio", clips)
