"""Frames one after the other from a file that stays open are those that are found at their times by seeking."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media_files import read_number, write_audio, write_video
from PIL import Image
from sightmix.engine.errors import Cancelled, MediaError
from sightmix.engine.media.reel import Reel, fitted
from sightmix.engine.progress import Progress

FPS = Fraction(24)
FRAMES = 120
KINDS = {
    "long.mp4": {"gop": 250, "options": {"bf": "3"}},
    "short.mp4": {"gop": 12},
    "open.mp4": {"gop": 24, "options": {"x264opts": "open-gop=1"}},
    "a.mkv": {"gop": 24},
    "a.ts": {"gop": 24},
    "intra.mov": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "mpeg4.avi": {"codec": "mpeg4", "gop": 12},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reels")
    for name, how in KINDS.items():
        write_video(made / name, FRAMES, **how)
    return made


@pytest.fixture
def reel(folder: Path, request: pytest.FixtureRequest) -> Iterator[Reel]:
    opened = Reel(folder / request.param)
    yield opened
    opened.close()


def numbers(reel: Reel, asked: list[Fraction]) -> list[int]:
    return [read_number(reel.picture(time, 64, 48)) for time in asked]


@pytest.mark.parametrize("reel", KINDS, indirect=True)
def test_frames_in_order_back_and_forth_and_beyond_the_ends(reel: Reel) -> None:
    asked = [0, 1, 2, 3, 30, 31, 110, 111, 7, 8, 60, 59, FRAMES - 1]
    assert numbers(reel, [n / FPS for n in asked]) == asked
    assert numbers(reel, [Fraction(-5), Fraction(1000), Fraction(0)]) == [0, FRAMES - 1, 0]
    assert numbers(reel, [Fraction(50, 24) + Fraction(1, 30)] * 2) == [50, 50]


@pytest.mark.parametrize("reel", ["long.mp4", "short.mp4"], indirect=True)
def test_stepping_on_never_seeks(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    sought: list[int] = []
    monkeypatch.setattr(Reel, "_seek", lambda self, at, back: sought.append(at))
    assert numbers(reel, [n / FPS for n in range(0, FRAMES, 3)]) == list(range(0, FRAMES, 3))
    assert not sought


@pytest.mark.parametrize("reel", ["short.mp4"], indirect=True)
def test_any_frame_of_a_stretch_spares_decoding(reel: Reel) -> None:
    number = read_number(reel.picture(Fraction(100, 24), 64, 48, earliest=Fraction(80, 24)))
    assert 80 <= number <= 100


@pytest.mark.parametrize("reel", ["long.mp4"], indirect=True)
def test_a_search_can_be_stopped_and_the_reel_goes_on(reel: Reel) -> None:
    stopped = Progress()
    stopped.cancel()
    with pytest.raises(Cancelled):
        reel.picture(Fraction(100, 24), 64, 48, stopped)
    assert numbers(reel, [Fraction(100, 24), Fraction(5, 24)]) == [100, 5]


class Steps(Progress):
    """Lets so many steps pass."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled("enough")


@pytest.mark.parametrize("reel", ["long.mp4"], indirect=True)
def test_frames_passed_over_on_the_way_are_there_when_they_are_asked_for(reel: Reel) -> None:
    for number in range(4, 40):
        assert numbers(reel, [Fraction(0)]) == [0]
        with pytest.raises(Cancelled):
            reel.picture(Fraction(110, 24), 64, 48, Steps(6))
        assert numbers(reel, [Fraction(number, 24)]) == [number]


def test_pictures_keep_their_shape_inside_the_box(folder: Path) -> None:
    opened = Reel(folder / "a.mkv")
    assert opened.picture(Fraction(0), 400, 30).shape == (30, 40, 3)
    assert opened.picture(Fraction(0), 32, 400).shape == (24, 32, 3)
    opened.close()
    assert fitted(Fraction(16, 9), 640, 640) == (640, 360)
    assert fitted(Fraction(1, 100), 10, 10) == (2, 10)


def test_a_still_shows_at_any_time(tmp_path: Path) -> None:
    Image.fromarray(np.full((48, 64, 3), (200, 10, 10), np.uint8)).save(tmp_path / "still.png")
    opened = Reel(tmp_path / "still.png")
    for time in (0, 7, 3):
        assert abs(int(opened.picture(Fraction(time), 64, 48)[20, 20, 0]) - 200) < 3
    opened.close()


def test_what_has_no_picture_says_so(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", "pcm_s16le", np.zeros((2, 4800), np.float32))
    with pytest.raises(MediaError, match="has no picture"):
        Reel(tmp_path / "a.wav")
    with pytest.raises(MediaError, match=r"gone\.mov"):
        Reel(tmp_path / "gone.mov")
