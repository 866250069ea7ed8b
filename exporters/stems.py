"""Stems of an edit: DX, MX, FX, M&E and mix as time-stamped BWF files that line up and add up."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..engine.edit.model import Edit, EditClip, EditTrack
from ..engine.errors import SettingsError, WriteError
from ..engine.media.layout import Layout
from ..engine.media.loudness import Meter
from ..engine.media.time import timecode
from ..engine.media.writer import Bext, Ixml, WavWriter, time_reference
from ..engine.passage import Loudness
from ..engine.programme.programme import SAMPLE_RATE, Programme, programme_of
from ..engine.programme.sound import sounds
from ..engine.progress import Progress
from ..engine.roles import MIX, MUSIC_AND_EFFECTS, PARTS, SUMMED
from . import naming
from .delivery import Spec, Stage, find_stage

Array = NDArray[np.float32]

BITS = 24
ROLE_STEMS = {role.name: role.short for role in PARTS}
_PARTS = tuple(ROLE_STEMS.values())
_SCALE = np.float32(1 << 23)
_DAY = 24 * 3600


@dataclass(frozen=True)
class StemOptions:
    """What to export and how.

    `stems` names some of DX, MX, FX, ME and MIX (all that can be made if empty); `per` is "timeline" for files as
    long as the timeline, "clip" for a set per rebalanced clip; `interleaved` False writes a file per channel;
    `assign` puts other tracks, by name, into a stem; `delivery` is the spec to bring the mix to.
    """

    project: str = ""
    reel: str = ""
    stems: tuple[str, ...] = ()
    per: Literal["timeline", "clip"] = "timeline"
    interleaved: bool = True
    assign: dict[str, str] = field(default_factory=dict)
    delivery: Spec | None = None

    def __post_init__(self) -> None:
        for stem in (*self.stems, *self.assign.values()):
            if stem not in naming.STEMS:
                raise SettingsError(f"'{stem}' is no stem; choose among {', '.join(naming.STEMS)}.")
        if any(stem not in _PARTS for stem in self.assign.values()):
            raise SettingsError("A track can be put into DX, MX or FX; ME and MIX are made of these.")
        if self.per not in ("timeline", "clip"):
            raise SettingsError(f"Stems are exported per timeline or per clip, not per '{self.per}'.")


@dataclass(frozen=True)
class StemFile:
    """A finished stem: its files (one, or one per channel), figures of the mix, samples that clipped."""

    stem: str
    paths: tuple[Path, ...]
    layout: Layout
    loudness: Loudness | None = None
    clipped: int = 0

    @property
    def channels(self) -> int:
        """Channels of all files together."""
        return self.layout.channels


@dataclass(frozen=True)
class StemSet:
    """Stems that line up: `samples` long at 48 kHz, beginning `time_reference` samples after midnight.

    `gain_db` is what the delivery stage added, `notes` a sentence for everything the listener should know.
    """

    name: str
    version: int
    files: tuple[StemFile, ...]
    samples: int
    time_reference: int
    start: str
    gain_db: float = 0.0
    notes: tuple[str, ...] = ()


def export_stems(
    edit: Edit, folder: Path, options: StemOptions, progress: Progress | None = None
) -> tuple[StemSet, ...]:
    """Write the stems of an edit into `folder`, one set or one per clip, and say what was written.

    48 kHz, 24 bits; every file of a set begins at the same sample and is equally long. Stems are rounded to 24 bits
    before they are added, so that DX + MX + FX is the mix to the last bit unless the mix passes full scale. Muting
    of stem tracks is ignored where a track of the finished mix stands beside them. Names carry a version above
    every earlier one. Raises SettingsError, MediaError, WriteError, Cancelled; half a set is never left behind.
    """
    progress = progress or Progress()
    tracks = _by_part(edit, options)
    programmes = _programmes(edit, tracks, options)
    notes = (*_left_out(edit, tracks), *_offline(tracks))
    if not folder.is_dir():
        raise WriteError(f"The folder {folder} does not exist; create it or choose another.")
    with naming.next_version(folder, [programme.name for programme in programmes]) as version:
        return tuple(
            _Export(edit, programme, folder, options, version, notes, progress).run()
            for programme in programmes
        )


def _by_part(edit: Edit, options: StemOptions) -> dict[str, list[EditTrack]]:
    """The audio tracks of every part; the finished mix alone where there are no stem tracks."""
    audio = [track for track in edit.tracks if track.kind == "audio"]
    finished = [track for track in audio if track.role == MIX.name]
    found: dict[str, list[EditTrack]] = {}
    for track in audio:
        part = ROLE_STEMS.get(track.role) or options.assign.get(track.name)
        if part is not None and (track.enabled or (finished and track.role)):
            found.setdefault(part, []).append(track)
    unknown = set(options.assign) - {track.name for track in audio}
    if unknown:
        listed = ", ".join(f"'{track.name}'" for track in audio) or "none"
        raise SettingsError(f"There is no audio track '{min(unknown)}'; this timeline has {listed}.")
    if not any(track.role in ROLE_STEMS for tracks in found.values() for track in tracks) and finished:
        playing = [track for track in finished if track.enabled]
        if options.assign:
            raise SettingsError(
                "This timeline has the finished mix but no stem tracks to put other tracks beside; "
                "rebalance with --stems or --as keyframes first."
            )
        found = {MIX.short: playing}
    if not any(tracks for tracks in found.values()):
        raise SettingsError(
            f"The timeline '{edit.name}' has no tracks of ours that play; rebalance it with --stems or "
            "--as keyframes, or name tracks with --assign."
        )
    return {part: found[part] for part in (*_PARTS, MIX.short) if part in found}


def _programmes(
    edit: Edit, tracks: dict[str, list[EditTrack]], options: StemOptions
) -> tuple[Programme, ...]:
    base = (options.project or edit.name, options.reel)
    whole = programme_of(naming.base_name(*base), tracks, edit.duration)
    naming.layout_name(whole.layout)
    if options.per == "timeline":
        return (whole,)
    clips = whole.clips()
    if not clips:
        raise SettingsError(f"The timeline '{edit.name}' has no clips of ours that sound; nothing to export.")
    return tuple(
        replace(found, name=naming.base_name(*base, f"{number:03d}-{naming.token(label, 'clip')}"))
        for number, (label, found) in enumerate(clips, start=1)
    )


def _left_out(edit: Edit, tracks: dict[str, list[EditTrack]]) -> tuple[str, ...]:
    """Tracks that play beside our stems and are in none: other people's, and mixes that came back whole."""
    covered = [(c.start, c.end) for found in tracks.values() for track in found for c in track.clips]
    ours = {id(track) for found in tracks.values() for track in found}
    names = []
    for track in edit.tracks:
        if track.kind != "audio" or id(track) in ours or track.role in ROLE_STEMS or not track.enabled:
            continue
        if any(sounds(clip) and not _within(clip, covered) for clip in track.clips):
            names.append(f"'{track.name}'")
    if not names:
        return ()
    return (
        f"{', '.join(names)} also sound{'s' if len(names) == 1 else ''} where no stem does and is in none of them; "
        "put tracks into stems with --assign.",
    )


def _within(clip: EditClip, covered: Sequence[tuple[Fraction, Fraction]]) -> bool:
    return any(start <= clip.start and clip.end <= end for start, end in covered)


def unreadable(edit: Edit) -> tuple[str, ...]:
    """What is silent in the stems of an edit because it cannot be read, a sentence; raises SettingsError as they do."""
    return _offline(_by_part(edit, StemOptions()))


def _offline(tracks: dict[str, list[EditTrack]]) -> tuple[str, ...]:
    lost = [c.name for found in tracks.values() for track in found for c in track.clips
            if c.enabled and not sounds(c)]  # fmt: skip
    if not lost:
        return ()
    names = ", ".join(f"'{name}'" for name in dict.fromkeys(lost))
    return (f"No sound could be read for {names}; the stems are silent there.",)


@dataclass(frozen=True)
class _Export:
    """One set on its way to disk."""

    edit: Edit
    programme: Programme
    folder: Path
    options: StemOptions
    version: int
    notes: tuple[str, ...]
    progress: Progress

    def run(self) -> StemSet:
        programme, spec = self.programme, self.options.delivery
        wanted = self._wanted()
        stage = Stage()
        if spec is not None:
            stage = find_stage(programme, spec, self.progress)
        paths = {stem: self._paths(stem) for stem in wanted}
        meters = Meter(SAMPLE_RATE, programme.channels, programme.layout)
        done: list[Path] = []
        try:
            with ExitStack() as stack:
                writers = {
                    stem: [stack.enter_context(self._writer(stem, i, path)) for i, path in enumerate(found)]
                    for stem, found in paths.items()
                }
                self._render(stage, writers, meters)
                figures = meters.result()
                for writer in writers.get(MIX.short, ()):
                    if self.options.interleaved:
                        writer.set_loudness(figures)
                for writer in (w for found in writers.values() for w in found):
                    writer.close()
                    done.append(writer.path)
        except BaseException:
            for path in done:
                path.unlink(missing_ok=True)
            raise
        files = tuple(
            StemFile(stem, paths[stem], programme.layout, figures if stem == MIX.short else None,
                     sum(writer.clipped for writer in writers[stem]))
            for stem in wanted
        )  # fmt: skip
        return StemSet(
            name=programme.name,
            version=self.version,
            files=files,
            samples=programme.samples,
            time_reference=self._stamp,
            start=timecode(
                self.edit.start + Fraction(programme.first, SAMPLE_RATE), self.edit.rate, self.edit.drop_frame
            ),
            gain_db=stage.gain_db,
            notes=(*self.notes, *stage.notes, *_clipping(files)),
        )

    @property
    def _stamp(self) -> int:
        """Samples since midnight of the set's first sample."""
        whole = time_reference(self.edit.start, SAMPLE_RATE) + self.programme.first
        return whole % (_DAY * SAMPLE_RATE)

    def _wanted(self) -> tuple[str, ...]:
        parts = self.programme.parts
        can = [MIX.short] if parts == (MIX.short,) else [*parts, MIX.short]
        if any(stem in parts for stem in SUMMED):
            can.append(MUSIC_AND_EFFECTS)
        missing = [stem for stem in self.options.stems if stem not in can]
        if missing:
            raise SettingsError(
                f"The timeline '{self.edit.name}' has no tracks for {', '.join(missing)}; rebalance it with "
                "--stems or --as keyframes."
            )
        return tuple(s for s in naming.STEMS if s in (self.options.stems or can))

    def _paths(self, stem: str) -> tuple[Path, ...]:
        layout = self.programme.layout
        name = naming.StemName(
            self.programme.name,
            stem,
            naming.layout_name(layout),
            naming.format_name(SAMPLE_RATE, BITS),
            self.version,
        )
        if self.options.interleaved:
            return (self.folder / name.file,)
        return tuple(self.folder / replace(name, speaker=s).file for s in layout.labels)

    def _writer(self, stem: str, index: int, path: Path) -> WavWriter:
        layout = self.programme.layout
        now = datetime.now().astimezone()
        speakers = layout.labels if self.options.interleaved else (layout.labels[index],)
        bext = Bext(
            description=f"{self.programme.name} {stem} {naming.layout_name(layout)}",
            originator_reference=f"{path.stem}"[-32:],
            date=now.strftime("%Y-%m-%d"),
            time=now.strftime("%H:%M:%S"),
            time_reference=self._stamp,
        )
        ixml = Ixml(
            project=self.options.project or self.edit.name,
            scene=self.programme.name,
            take=str(self.version),
            tape=self.options.reel,
            note=stem,
            timecode_rate=self.edit.rate,
            drop_frame=self.edit.drop_frame,
            tracks=tuple(f"{stem} {speaker}" for speaker in speakers),
        )
        file = layout if self.options.interleaved else Layout.of_count(1)
        return WavWriter(path, SAMPLE_RATE, file.channels, bext=bext, ixml=ixml, layout=file)

    def _render(self, stage: Stage, writers: dict[str, list[WavWriter]], meter: Meter) -> None:
        programme = self.programme
        done = 0
        for block in stage.apply(programme.blocks(), len(programme.parts), programme.channels):
            rounded = np.rint(block * _SCALE) / _SCALE
            stems = dict(zip(programme.parts, rounded, strict=True))
            if MIX.short not in stems:
                stems[MIX.short] = _sum(stems, _PARTS)
                stems[MUSIC_AND_EFFECTS] = _sum(stems, SUMMED)
            meter.push(stems[MIX.short])
            for stem, found in writers.items():
                if self.options.interleaved:
                    found[0].write(stems[stem])
                else:
                    for channel, writer in enumerate(found):
                        writer.write(stems[stem][channel : channel + 1])
            done += block.shape[2]
            self.progress.report(
                "export", programme.name, done / SAMPLE_RATE, programme.samples / SAMPLE_RATE
            )


def _sum(stems: dict[str, Array], parts: Sequence[str]) -> Array:
    """The sum of those parts there are, exact: all lie on the 24-bit grid."""
    shape = next(iter(stems.values())).shape
    total = np.zeros(shape, np.float64)
    for part in parts:
        if part in stems:
            total += stems[part]
    return total.astype(np.float32)


def _clipping(files: Sequence[StemFile]) -> tuple[str, ...]:
    over = [f"{file.stem} ({file.clipped} samples)" for file in files if file.clipped]
    if not over:
        return ()
    return (
        f"{', '.join(over)} passed full scale and clipped, so the stems do not add up to the mix there; "
        "choose a delivery spec or lower the levels.",
    )
