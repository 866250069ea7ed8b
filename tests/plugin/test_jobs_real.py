"""The command line with a real network of random weights: to the bit at strength 0, and the whole road with picture."""

import json
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
from job_helpers import RATE, three_clips, timeline_of
from sightmix.engine.errors import MediaError, SettingsError
from sightmix.engine.installation import line_for
from sightmix.engine.media.reader import probe, read_span
from sightmix.engine.progress import Progress
from sightmix.plugin.cli.app import app
from sightmix.plugin.jobs import cuts
from sightmix.plugin.jobs.cuts import find_cuts
from sightmix.plugin.timeline.source import open_source
from typer.testing import CliRunner

CUT = 37  # frames


def movie(path: Path, frames: int = 75) -> Path:
    """Three seconds at 25 fps with one hard cut, and noise for sound."""
    rng = np.random.default_rng(5)
    looks = rng.integers(0, 255, (2, 8, 8, 3)).astype(np.uint8).repeat(16, 1).repeat(16, 2)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width = video.height = 128
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE, layout="stereo")
        for i in range(frames):
            picture = np.roll(looks[int(i >= CUT)], i, axis=1)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        noise = (0.1 * rng.standard_normal((2, RATE * frames // 25))).astype(np.float32)
        for at in range(0, noise.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(noise[:, at : at + 1024]), "fltp", "stereo"
            )
            frame.sample_rate, frame.pts = RATE, at
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def mixes_of(source: Path) -> list[str]:
    """Flags that call every track a mix."""
    tracks = {clip.track_number for clip in open_source(source, "", ())[0].clips}
    return [part for number in sorted(tracks) for part in ("--category", f"A{number}=mix")]


def rebalanced(source: Path, *flags: str) -> dict:
    command = [
        "rebalance",
        str(source),
        "-o",
        str(source.parent / "out"),
        "--model",
        "tiny",
        "--json",
        *mixes_of(source),
        *flags,
    ]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_strength_zero_is_the_original_to_the_bit(tiny_model: str, tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    data = rebalanced(source, "--strength", "0", "--handles", "0", "--context", "none")
    for clip, (name, start, length) in zip(
        data["clips"], [("loud", "0", "1"), ("soft", "0.48", "1.2"), ("loud", "1", "1")], strict=True
    ):
        original = read_span(tmp_path / f"{name}.wav", Fraction(start), Fraction(length))
        made, rate = sf.read(tmp_path / "out.sightmix" / clip["file"], dtype="float32")
        assert rate == RATE
        np.testing.assert_array_equal(made.T, original)
        assert clip["before"] == clip["after"]


@pytest.mark.parametrize(
    ("name", "subtype", "exact"),
    [
        ("a.wav", "PCM_U8", True),
        ("a.wav", "PCM_16", True),
        ("a.wav", "PCM_24", True),
        ("a.flac", "PCM_24", True),
        ("a.wav", "PCM_32", False),
        ("a.wav", "FLOAT", False),
        ("a.ogg", "VORBIS", False),
    ],
)
def test_strength_zero_is_to_the_bit_for_integers_of_up_to_24(
    tiny_model: str, tmp_path: Path, name: str, subtype: str, exact: bool
) -> None:
    """As the README says it: what has no more than 24 bits keeps them, everything else is rounded to them."""
    sound = 0.1 * np.random.default_rng(4).standard_normal((2 * RATE, 2))
    sf.write(tmp_path / name, sound, RATE, subtype=subtype)
    source = timeline_of(tmp_path / "reel.otio", [("a", tmp_path / name, 0.2, 1.0)])
    [clip] = rebalanced(source, "--strength", "0", "--handles", "0", "--context", "none")["clips"]
    made = sf.read(tmp_path / "out.sightmix" / clip["file"], dtype="float32")[0].T
    original = read_span(tmp_path / name, Fraction("0.2"), Fraction(1))
    assert np.array_equal(made, original) == exact
    assert np.abs(made - original).max() <= 2.0**-24


def test_a_movie_goes_the_whole_road(tiny_model: str, tmp_path: Path) -> None:
    source = movie(tmp_path / "film.mp4")
    data = rebalanced(source, "--stems", "--detect-cuts", "--loudness", "-30")
    clip = data["clips"][0]
    assert clip["cuts"] == [pytest.approx(CUT / 25, abs=0.05)]
    assert {frame["shot"] for frame in clip["frames"]} == {0, 1}
    assert data["summary"]["integrated_after"] == pytest.approx(-30, abs=0.1)
    mix, *stems = (sf.read(tmp_path / "out.sightmix" / f)[0] for f in (clip["file"], *clip["stems"].values()))
    assert 20 * np.log10(np.abs(sum(stems) - mix).max()) <= -120
    page = (tmp_path / "out.sightmix" / "report.html").read_text()
    shown = min(len(clip["frames"]), 8) + min(len(data["programme"]["frames"]), 8)
    assert page.count("data:image/jpeg") == shown
    assert rebalanced(source, "--stems", "--detect-cuts", "--loudness", "-24")["summary"]["cached"] == 1


def test_an_unknown_model_is_a_sentence(tiny_model: str, tmp_path: Path) -> None:
    source = three_clips(tmp_path)
    done = CliRunner().invoke(
        app, ["rebalance", str(source), "-o", str(tmp_path / "out"), "--model", "tinny"]
    )
    assert done.exit_code == 2
    assert "did you mean 'tiny'" in done.stderr
    assert not (tmp_path / "out.sightmix").exists()


def test_cuts_need_picture_and_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three_clips(tmp_path)
    with pytest.raises(SettingsError, match="needs moving picture"):
        find_cuts(tmp_path / "loud.wav", Progress())
    with pytest.raises(MediaError, match="does not exist"):
        find_cuts(tmp_path / "missing.mp4", Progress())
    monkeypatch.setitem(__import__("sys").modules, "scenedetect", None)
    with pytest.raises(SettingsError, match=re.escape(line_for("cuts"))):
        cuts.find_cuts(movie(tmp_path / "film.mp4", 10), Progress())


def test_a_handle_before_midnight_does_not_put_the_stamp_a_day_late(tiny_model: str, tmp_path: Path) -> None:
    """The timeline starts at 00:00:00:00 and its first clip at once, half a second into its media."""
    sound = 0.1 * np.random.default_rng(3).standard_normal((4 * RATE, 2))
    sf.write(tmp_path / "in.wav", sound, RATE, subtype="PCM_24")
    source = timeline_of(tmp_path / "reel.otio", [("a", tmp_path / "in.wav", 1.0, 2.0)])
    rebalanced(source, "--context", "none", "--strength", "0")
    *_, track = json.loads((tmp_path / "out.otio").read_text())["tracks"]["children"]
    [clip] = track["children"]
    path = Path(clip["media_references"]["DEFAULT_MEDIA"]["target_url"].removeprefix("file://"))
    assert probe(path).timecode == 0
    source_range, reference = clip["source_range"], clip["media_references"]["DEFAULT_MEDIA"]
    start = Fraction(source_range["start_time"]["value"]) / Fraction(source_range["start_time"]["rate"])
    assert reference["available_range"]["start_time"]["value"] == 0
    assert start == Fraction(12, 25)  # the handle
    heard = read_span(path, start, Fraction(2))
    np.testing.assert_array_equal(heard, read_span(tmp_path / "in.wav", Fraction(1), Fraction(2)))
