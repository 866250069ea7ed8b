"""The specimen: what its page says is to be seen is what its files hold, read back and rendered by our own means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from html import unescape
from pathlib import Path
from typing import Any

import aaf2
import av
import numpy as np
import pytest
from sightmix.engine.edit.model import Edit, EditTrack
from sightmix.engine.errors import WriteError
from sightmix.engine.media.time import parse_timecode, timecode, to_samples
from sightmix.engine.programme.programme import Programme, programme_of
from sightmix.plugin.hosts.specimen import facts, media
from sightmix.plugin.hosts.specimen.make import CHECKLIST, MEDIA, RESULT, Specimen, _documents, make
from sightmix.plugin.timeline.source import open_edit

STOCK = {
    "Timeline.1", "Stack.1", "Track.1", "Clip.2", "Gap.1", "Transition.1", "Marker.2", "Effect.1",
    "ExternalReference.1", "RationalTime.1", "TimeRange.1",
}  # fmt: skip
HOUR = Fraction(3600)
RATE = Fraction(25)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Specimen:
    return make(tmp_path_factory.mktemp("specimen") / "new")


@pytest.fixture(scope="module")
def page(made: Specimen) -> dict[str, tuple[str, str]]:
    """What the page says: the value and the files of every line, by what is to be looked at."""
    text = (made.folder / CHECKLIST).read_text(encoding="utf-8")
    lines = re.findall(
        r'<td class="what">(.*?)</td><td class="value">(.*?)</td><td class="files">(.*?)</td>', text
    )
    found = {unescape(what): (unescape(value), files) for what, value, files in lines}
    assert len(found) == len(lines) > 25
    return found


def opened(made: Specimen, suffix: str) -> Edit:
    return open_edit(made.folder / f"specimen{suffix}", rate="25" if suffix == ".edl" else "")


def tracks(edit: Edit, kind: str) -> list[EditTrack]:
    return [track for track in edit.tracks if track.kind == kind]


def peak(programme: Programme, second: Fraction) -> float:
    """The peak in dBFS over a tenth of a second around a moment."""
    middle = to_samples(second, 48_000)
    sound = np.concatenate(list(replace(programme, first=middle - 2400, samples=4800).blocks()), axis=-1)
    return float(20 * np.log10(np.abs(sound).max()))


def moments(page: dict[str, tuple[str, str]], start: str) -> Iterator[tuple[Fraction, float]]:
    """Seconds from the timeline's start, and dBFS, of the lines that begin with `start` and name a moment."""
    for what, (value, _) in page.items():
        found = re.search(r"at (\d\d:\d\d:\d\d:\d\d)", what)
        if what.startswith(start) and found:
            level = re.search(r"−?\d+\.\d(?= dBFS)", value)
            assert level, value
            yield parse_timecode(found[1], RATE) - HOUR, float(level[0].replace("−", "-"))


@pytest.mark.parametrize("suffix", [".otio", ".xml", ".fcpxml"])
def test_meters_show_what_the_page_says(
    made: Specimen, page: dict[str, tuple[str, str]], suffix: str
) -> None:
    edit = opened(made, suffix)
    read = 0
    for track in tracks(edit, "audio")[3:]:
        alone = programme_of(track.name, {track.name: [track]}, edit.duration)
        for second, level in moments(page, f"Meter of {track.name}"):
            assert peak(alone, second) == pytest.approx(level, abs=0.06), (track.name, second)
            read += 1
    assert read == 9
    [halfway] = moments(page, "The same of Dialogue")
    down = programme_of("", {"": [tracks(edit, "audio")[3]]}, edit.duration)
    assert peak(down, halfway[0]) == pytest.approx(halfway[1], abs=0.4)


def test_gains_in_the_aaf_are_what_the_page_says(made: Specimen, page: dict[str, tuple[str, str]]) -> None:
    """By pyaaf2, since no reader of ours takes volume from an AAF: the tone's own level and the gain at the moment."""
    read = 0
    with aaf2.open(str(made.folder / "specimen.aaf")) as file:
        [composition] = list(file.content.toplevel())
        for track in ("Dialogue", "Music"):
            [slot] = [slot for slot in composition.slots if slot.name == f"{track} {facts.RESULT}.L"]
            for second, level in moments(page, f"Meter of {track} {facts.RESULT}"):
                gain = gain_at(slot.segment.components, to_samples(second, 48_000))
                assert facts.TONES[track].db + 20 * np.log10(gain) == pytest.approx(level, abs=0.06)
                read += 1
    assert read == 7


def gain_at(components: Sequence[Any], sample: int) -> float:
    """The amplitude of a gain effect at a sample of a slot."""
    first = 0
    for part in components:
        if first <= sample < first + part.length and hasattr(part, "parameters"):
            [gain] = list(part.parameters)
            if type(gain).__name__ == "ConstantValue":
                return float(gain.value)
            points = [(float(point.time), float(point.value)) for point in gain["PointList"]]
            times, values = zip(*points, strict=True)
            return float(np.interp((sample - first) / part.length, times, values))
        first += part.length
    raise AssertionError(f"nothing has a gain at sample {sample}")


@pytest.mark.parametrize("suffix", [".otio", ".xml", ".fcpxml"])
def test_the_main_meter_tells_whether_muting_worked(
    made: Specimen, page: dict[str, tuple[str, str]], suffix: str
) -> None:
    edit = opened(made, suffix)
    sound = tracks(edit, "audio")
    # FCPXML says of clips alone what is muted.
    assert [track.enabled for track in sound] == [suffix == ".fcpxml"] * 3 + [True] * 3
    [(second, level)] = moments(page, "Main meter")
    failed = float(re.findall(r"−?\d+\.\d", page["Main meter at 01:00:02:00 (peak)"][0])[1].replace("−", "-"))
    heard = programme_of("", {"": [track for track in sound if track.enabled]}, edit.duration)
    assert peak(heard, second) == pytest.approx(level, abs=0.06)
    assert not any(clip.enabled for track in sound[:3] for clip in track.clips)
    unmuted = [replace(t, clips=tuple(replace(c, enabled=True) for c in t.clips)) for t in sound]
    assert peak(programme_of("", {"": unmuted}, edit.duration), second) == pytest.approx(failed, abs=0.06)


@pytest.mark.parametrize("suffix", [".otio", ".xml", ".fcpxml", ".aaf", ".edl"])
def test_cuts_lie_where_the_page_says(made: Specimen, page: dict[str, tuple[str, str]], suffix: str) -> None:
    edit = opened(made, suffix)
    assert (edit.start, edit.rate) == (HOUR, RATE)
    assert page["First frame of the timeline"][0] == timecode(edit.start, RATE)
    assert page["Length of the timeline"][0] == timecode(edit.duration, RATE)
    shots = tracks(edit, "video")[0].clips
    early = Fraction(12, 25) if suffix == ".edl" else Fraction(0)  # a list's dissolve begins where it begins
    for number, shot in enumerate(shots, start=1):
        moved = early if number == 2 else Fraction(0)
        first, length, source = page[f"V1, shot {number}: first frame, length, source in"][0].split(", ")
        assert timecode(HOUR + shot.start + moved, RATE) == first
        assert timecode(shot.source_in + moved, RATE) == source
        assert timecode(shot.duration - moved + (early if number == 1 else 0), RATE) == length
    if suffix != ".edl":
        [joint] = tracks(edit, "video")[0].transitions
        cut = HOUR + joint.cut
        value, _ = page[f"V1: dissolve around {timecode(cut, RATE)}: first and last frame"]
        first, last = timecode(cut - joint.before, RATE), timecode(cut + joint.after - 1 / RATE, RATE)
        assert value.startswith(f"{first}, {last} ")


def test_pictures_show_the_figures_that_the_page_names(
    made: Specimen, page: dict[str, tuple[str, str]]
) -> None:
    """Decoded frames, found by the edit, against the drawing of that figure."""
    shots = tracks(opened(made, ".otio"), "video")[0].clips
    lines = {w: v for w, (v, _) in page.items() if re.match(r"Picture at|White picture", w)}
    assert len(lines) == 6
    for what, value in lines.items():
        second = parse_timecode(re.findall(r"\d\d:\d\d:\d\d:\d\d", what)[0], RATE) - HOUR
        shot = next(shot for shot in shots if shot.start <= second < shot.end)
        assert shot.media is not None
        number = int((second - shot.start + shot.source_in - shot.media.start) * RATE)
        letter, figure = value.split()
        assert int(figure) == number
        with av.open(str(shot.media.path)) as file:
            frame = next(f for i, f in enumerate(file.decode(video=0)) if i == number)
        seen = frame.to_ndarray(format="rgb24").astype(int)
        film = facts.FILMS[letter]
        off = {n: np.abs(seen - media.picture(film, n)).mean() for n in range(number - 20, number + 20)}
        assert min(off, key=lambda n: off[n]) == number
        assert off[number] < 6


def test_new_clips_have_their_handles_and_only_their_own_tone(
    made: Specimen, page: dict[str, tuple[str, str]]
) -> None:
    edit = opened(made, ".otio")
    effects = tracks(edit, "audio")[5]
    assert effects.name == "Effects rebalanced"
    for number, clip in enumerate(effects.clips, start=1):
        value = page[f"Effects rebalanced, clip {number}: first frame, length, handles"][0]
        where = f"{timecode(HOUR + clip.start, RATE)}, {timecode(clip.duration, RATE)}, "
        assert clip.media is not None
        before = clip.source_in - clip.media.start
        after = clip.media.start + clip.media.duration - clip.source_in - clip.duration
        assert before == after
        assert value == f"{where}{before * RATE} frames at either end"
        whole = programme_of("", {"": [effects]}, edit.duration)
        first, last = to_samples(clip.start, 48_000), to_samples(clip.end, 48_000)
        sound = np.concatenate(list(replace(whole, first=first, samples=last - first).blocks()), axis=-1)[
            0, 0
        ]
        lines = np.abs(np.fft.rfft(sound)) / len(sound)
        assert float(np.argmax(lines)) * 48_000 / len(sound) == pytest.approx(800, abs=0.5)
        assert lines[round(3000 * len(sound) / 48_000)] < 1e-6


def test_every_format_says_what_its_files_column_says(
    made: Specimen, page: dict[str, tuple[str, str]]
) -> None:
    for suffix in (".otio", ".xml", ".fcpxml", ".aaf", ".edl"):
        edit = opened(made, suffix)
        names = {track.name.removesuffix(".L").removesuffix(".R") for track in tracks(edit, "audio")}
        told = {w for w, (_, files) in page.items() if files == "all" or suffix in files.split()}
        assert ({"Dialogue rebalanced", "Music rebalanced", "Effects rebalanced"} <= names) is (
            "New sound tracks, below the others" in told
        )
        assert (len(edit.markers) == 2) is any(what.startswith("Marker of") for what in told)
        silent = [track.name for track in tracks(edit, "audio") if not any(c.enabled for c in track.clips)]
        assert bool(silent) is any(what.startswith("The clips on ") for what in told)
        assert not any("rebalanced" in name for name in silent)
    for suffix in (".otio", ".xml", ".fcpxml", ".aaf"):
        found = [HOUR + marker.start for marker in opened(made, suffix).markers]
        assert [timecode(t, RATE) for t in found] == [
            v for w, (v, _) in page.items() if w.startswith("Marker of")
        ]


def test_what_resolve_gets_is_stock_absolute_and_there(made: Specimen) -> None:
    """Resolve refuses a timeline with an unknown schema, and takes whole paths of files that exist."""
    document = json.loads((made.folder / RESULT).read_text(encoding="utf-8"))
    waiting: list[object] = [document]
    schemas, targets = set(), set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            schemas |= {node["OTIO_SCHEMA"]} if "OTIO_SCHEMA" in node else set()
            targets |= {node["target_url"]} if "target_url" in node else set()
            waiting += [value for key, value in node.items() if key != "metadata"]
            marks = node.get("markers") or []
            if node.get("OTIO_SCHEMA") == "Clip.2":
                for mark in marks:
                    inside = (
                        mark["marked_range"]["start_time"]["value"]
                        - node["source_range"]["start_time"]["value"]
                    )
                    assert 0 <= inside < node["source_range"]["duration"]["value"]
        elif isinstance(node, list):
            waiting += node
    assert schemas <= STOCK
    assert len(targets) == 6
    for target in targets:
        assert Path(target).is_absolute()
        assert Path(target).is_file()
        with av.open(target) as file:
            assert [stream.codec_context.name for stream in file.streams.audio] == ["pcm_s24le"]


def test_the_same_folder_gives_the_same_bytes(
    made: Specimen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in made.files}
    again = _documents(made.folder, made.folder / MEDIA)
    assert {path.name: path.read_bytes() for path in again.files} == before
    monkeypatch.setattr(facts, "FILM_LENGTH", 8)
    film = facts.FILMS["B"]
    for name in ("one.mov", "two.mov"):
        media._write_film(tmp_path / name, film)
    assert (tmp_path / "one.mov").read_bytes() == (tmp_path / "two.mov").read_bytes()


def test_films_are_what_a_free_resolve_plays_everywhere(made: Specimen) -> None:
    """DNxHR with PCM, and their own timecode."""
    with av.open(str(made.folder / MEDIA / facts.FILMS["A"].file)) as file:
        assert file.streams.video[0].codec_context.name == "dnxhd"
        assert file.streams.video[0].codec_context.profile == "DNXHR LB"
        assert file.streams.audio[0].codec_context.name == "pcm_s24le"
        assert file.streams.video[0].metadata.get("timecode", file.metadata.get("timecode")) == "10:00:00:00"
        assert file.streams.video[0].frames == 250


def test_without_pyaaf2_the_aaf_is_left_out_and_said(
    made: Specimen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightmix.plugin.hosts.specimen.make.find_spec", lambda name: None)
    again = _documents(tmp_path, made.folder / MEDIA)
    assert "specimen.aaf" not in {path.name for path in again.files}
    assert "specimen.aaf: Left out: writing AAF needs pyaaf2" in (tmp_path / CHECKLIST).read_text(
        encoding="utf-8"
    )


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WriteError, match="is not empty; name a folder that is"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path, film: facts.Film) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(media, "_write_film", broken)
    with pytest.raises(WriteError, match="new"):
        make(tmp_path / "new")
    assert not list(tmp_path.iterdir())
