"""An edit for readers that place clips and know nothing else: what does more than that is rendered to sound files."""

from __future__ import annotations

import filecmp
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from math import ceil, floor
from pathlib import Path

from ..engine.edit import keyframes
from ..engine.edit.losses import Losses
from ..engine.edit.model import Edit, EditClip, EditMedia, EditTrack
from ..engine.errors import MediaError
from ..engine.files import put_in_place, staging, write_error
from ..engine.media.layout import Layout
from ..engine.media.reader import MediaInfo, probe
from ..engine.media.time import round_half_up, to_samples
from ..engine.media.writer import Subtype, WavWriter
from ..engine.programme.programme import SAMPLE_RATE, Programme, audible
from ..engine.programme.sound import Voice, voices
from ..engine.progress import Progress
from ..engine.roles import MIX
from .common import feasible
from .naming import token

_HALF_SAMPLE = Fraction(1, 2 * SAMPLE_RATE)
_BITS: dict[Subtype, int] = {"PCM_24": 24, "FLOAT": 32}


@dataclass(frozen=True)
class _Run:
    """Voices that share frames `first` … `last` of the record, and whether it is one clip that any reader plays."""

    first: int
    last: int
    voices: tuple[Voice, ...]
    plain: bool

    @property
    def clips(self) -> tuple[EditClip, ...]:
        return tuple(voice.clip for voice in self.voices)


@contextmanager
def baked(edit: Edit, folder: Path, losses: Losses, progress: Progress | None = None) -> Iterator[Edit]:
    """The edit with its sound as clips on whole frames, at their own speed and level, of zero-based media.

    A clip that is that already stays the editor's file. Where there are volume lines, fades, dissolves, retimes, chosen
    channels, cuts between frames, or files that readers do not agree on, the clips concerned are rendered at 48 kHz
    into `folder`, which is made when needed: in the layout of the whole sound, with 24 bits, or as 32-bit float where
    they pass full scale. A file is called after its first clip; one of that name that holds something else is never
    written over, and one that holds the same is taken. Where the block fails, new files vanish.
    Muted tracks and disabled clips are left out, clips whose file is missing or cannot be read stay in their place as
    offline ones, and the picture is as it was, but for what its media do not have: all of it zero-based.
    Raises MediaError, WriteError or Cancelled.
    """
    if not all(track.enabled for track in edit.tracks):
        losses.add("Muted tracks are left out.")
    playing = tuple(map(_readable, (track for track in edit.tracks if track.enabled)))
    edit = replace(edit, tracks=playing)
    with _Folder(folder) as files:
        bake = _Bake(edit.rate, audible(edit).layout, files, losses, progress or Progress())
        tracks = (bake.sound(track) if track.kind == "audio" else bake.picture(track) for track in playing)
        yield replace(edit, tracks=tuple(tracks))


@dataclass(frozen=True)
class _Bake:
    """What rendering a track's runs takes."""

    rate: Fraction
    layout: Layout
    files: _Folder
    losses: Losses
    progress: Progress

    def sound(self, track: EditTrack) -> EditTrack:
        """An audio track of simple clips."""
        clips = [clip for clip in map(self._silent, track.clips) if clip is not None]
        runs = _runs(track, self.rate)
        for done, run in enumerate(runs, start=1):
            clips.append(_simple(run, self.rate) if run.plain else self._rendered(track, run))
            self.progress.report("export", track.name, done, len(runs), "clips")
        placed = sorted(clips, key=lambda clip: (clip.start, clip.end))
        return replace(track, clips=tuple(placed), transitions=(), channels=self.layout.channels)

    def picture(self, track: EditTrack) -> EditTrack:
        """A picture track whose media begin at zero."""
        [found] = feasible(Edit("", self.rate, (track,)), self.losses).tracks
        return replace(found, clips=tuple(map(_zero_based, found.clips)))

    def _silent(self, clip: EditClip) -> EditClip | None:
        """An offline clip, which keeps its place; None for every other, with what is lost of it noted."""
        if not clip.enabled:
            self.losses.add("Disabled clips are left out", 1)
        elif clip.media is None:
            self.losses.add("Clips without a file are left out", 1)
        elif clip.media.path is None:
            return EditClip(clip.name, clip.start, clip.duration, clip.media, clip.media.start)
        return None

    def _rendered(self, track: EditTrack, run: _Run) -> EditClip:
        samples = to_samples(run.last / self.rate, SAMPLE_RATE)
        first = to_samples(run.first / self.rate, SAMPLE_RATE)
        sound = Programme(track.name, (MIX.short,), (run.voices,), self.layout, first, samples - first)
        if len(run.voices) > 1:
            self.losses.add(
                "Clips that dissolve into each other or meet inside a frame become one", len(run.voices)
            )
        names = list(dict.fromkeys(clip.name for clip in run.clips if clip.name)) or [track.name]
        self.losses.add(
            f"Sound is rendered into the folder {self.files.path.name}, which goes with the file", 1
        )
        path, subtype = self.files.add(sound, token(Path(names[0]).stem, "sound"), self.progress)
        channels = self.layout.channels
        media = EditMedia(
            path.name, path.as_uri(), path, duration=Fraction(samples - first, SAMPLE_RATE),
            sample_rate=SAMPLE_RATE, channels=channels, streams=(channels,), bits=_BITS[subtype],
        )  # fmt: skip
        length = (run.last - run.first) / self.rate
        return EditClip(" + ".join(names), run.first / self.rate, length, media)


class _Folder:
    """Where rendered sound goes; as a context it takes back what was added where the block fails."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._made: list[Path] = []
        self._new = not path.exists()

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            return
        for path in self._made:
            path.unlink(missing_ok=True)
        if self._new:
            with suppress(OSError):
                self.path.rmdir()

    def add(self, sound: Programme, name: str, progress: Progress) -> tuple[Path, Subtype]:
        """Render the sound into a file called after `name`; the file and how its samples lie."""
        try:
            self.path.mkdir(exist_ok=True)
            with staging(self.path / name) as folder:
                whole = folder / f"{name}.wav"
                subtype = _write(sound, whole, progress)
                target = self._target(name, whole)
                if not target.exists():
                    put_in_place(whole, target)
                    self._made.append(target)
        except OSError as error:
            raise write_error(self.path, error) from error
        return target, subtype

    def _target(self, name: str, whole: Path) -> Path:
        """A free name for a file, or that of one which holds the same."""
        names = (f"{name}{f'-{number}' if number > 1 else ''}.wav" for number in count(1))
        paths = (self.path / each for each in names)
        return next(path for path in paths if not path.exists() or filecmp.cmp(whole, path, shallow=False))


def _write(sound: Programme, path: Path, progress: Progress) -> Subtype:
    """Write a sound with 24 bits, or as float where those clip; says which."""
    for subtype in _BITS:
        with WavWriter(path, SAMPLE_RATE, sound.channels, subtype=subtype, layout=sound.layout) as writer:
            for block in sound.blocks():
                progress.check()
                writer.write(block[0])
        if not writer.clipped:
            break
    return subtype


def _runs(track: EditTrack, rate: Fraction) -> list[_Run]:
    """A track's sounding clips by the frames they touch; those that share one are rendered together."""
    found: list[_Run] = []
    for voice in voices(track, SAMPLE_RATE):
        first, last = _frame(voice.first, rate, floor), _frame(voice.last, rate, ceil)
        run = _Run(first, last, (voice,), _is_plain(voice, rate))
        while found and found[-1].last > run.first:
            other = found.pop()
            both = (*other.voices, *run.voices)
            run = _Run(min(other.first, run.first), max(other.last, run.last), both, False)
        if run.last > run.first:
            found.append(run)
    return found


def _frame(sample: int, rate: Fraction, beside: Callable[[Fraction], int]) -> int:
    """The frame that a sample at 48 kHz begins, to half a sample; else the one `beside` it."""
    place = sample * rate / SAMPLE_RATE
    near = round_half_up(place)
    return near if _meets(place, near, rate) else beside(place)


def _meets(place: Fraction, frame: int, rate: Fraction) -> bool:
    """Whether a place in frames is that frame, to half a sample."""
    return abs(place - frame) / rate <= _HALF_SAMPLE


def _is_plain(voice: Voice, rate: Fraction) -> bool:
    """Whether a clip lies on whole frames and plays a stretch of its file, which reads alike everywhere, as it is."""
    clip, media = voice.clip, voice.clip.media
    assert media is not None
    assert media.path is not None
    if voice.ramps or clip.speed != 1 or not keyframes.is_unity(clip.gain):
        return False
    info = probe(media.path)
    if not _reads_alike(info) or clip.channels not in (None, tuple(range(info.audio[0].channels))):
        return False
    offset = clip.source_in - media.start
    inside = media.duration is None or offset + clip.duration <= media.duration + _HALF_SAMPLE
    times = (clip.start, clip.end, offset)
    return offset >= 0 and inside and all(_meets(t * rate, round_half_up(t * rate), rate) for t in times)


def _reads_alike(info: MediaInfo) -> bool:
    """Whether every reader hears the same of a file: one stream, by one clock, in one layout and the usual order."""
    if len(info.audio) != 1 or "audio" in info.unknown:
        return False
    [stream] = info.audio
    return not (stream.jumps or stream.changes or stream.order)


def _simple(run: _Run, rate: Fraction) -> EditClip:
    """The one clip of a plain run, exactly on its frames."""
    [clip] = run.clips
    assert clip.media is not None
    offset = round_half_up((clip.source_in - clip.media.start) * rate) / rate
    length = (run.last - run.first) / rate
    return EditClip(clip.name, run.first / rate, length, replace(clip.media, start=Fraction(0)), offset)


def _readable(track: EditTrack) -> EditTrack:
    """The track, its clips offline where no reader gets anything out of their file."""
    return replace(track, clips=tuple(clip if _opens(clip) else _offline(clip) for clip in track.clips))


def _opens(clip: EditClip) -> bool:
    if clip.media is None or clip.media.path is None:
        return True
    try:
        probe(clip.media.path)
    except MediaError:
        return False
    return True


def _offline(clip: EditClip) -> EditClip:
    assert clip.media is not None
    return replace(clip, media=replace(clip.media, path=None))


def _zero_based(clip: EditClip) -> EditClip:
    """A clip whose media begin at zero."""
    if clip.media is None:
        return clip
    media = replace(clip.media, start=Fraction(0))
    return replace(clip, media=media, source_in=clip.source_in - clip.media.start)
