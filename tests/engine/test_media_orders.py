"""Sound whose channels lie in an order of the file's own: decoded, and put into WAV order."""

import struct
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from media_files import write_audio
from sightmix.engine.errors import MediaError
from sightmix.engine.media.container import layout_of, probe
from sightmix.engine.media.reader import read_span
from sightmix.engine.passage import Channel

RATE = 48_000
FILM = "FL FC FR SL SR LFE"
WAV = "FL FR FC LFE BL BR"
SIDE = "FL FR FC LFE SL SR"
LEVELS = {"FL": 0.1, "FR": 0.2, "FC": 0.3, "LFE": 0.05, "SL": 0.4, "SR": 0.5, "BL": 0.15, "BR": 0.25}
# CoreAudio's layout tags (CoreAudioBaseTypes.h) and the order they stand for.
TAGS = {
    "MPEG_5_1_A": (121 << 16 | 6, "FL FR FC LFE SL SR"),
    "MPEG_5_1_B": (122 << 16 | 6, "FL FR SL SR FC LFE"),
    "MPEG_5_1_C": (123 << 16 | 6, "FL FC FR SL SR LFE"),
    "MPEG_5_1_D": (124 << 16 | 6, "FC FL FR SL SR LFE"),
    "MPEG_5_0_D": (120 << 16 | 5, "FC FL FR SL SR"),
    "MPEG_3_0_B": (114 << 16 | 3, "FC FL FR"),
}
# A process of its own, since the fault was that it ended.
READ = """
import gc, sys
from fractions import Fraction
import numpy as np
from sightmix.engine.media.reader import probe, read_span
stream = probe(sys.argv[1]).audio[0]
sound = read_span(sys.argv[1], Fraction(0), Fraction(1))
sound = read_span(sys.argv[1], Fraction(1, 2), Fraction(1))
gc.collect()
print("+".join(stream.layout.speakers), *np.abs(sound).max(axis=1).round(3))
"""


def levels(path, speakers, codec="pcm_s24le", layout=None):
    """A tone of its own level on every channel."""
    t = np.arange(2 * RATE) / RATE
    x = np.stack([LEVELS[s] * np.sin(2 * np.pi * 400 * t) for s in speakers]).astype(np.float32)
    layout = layout or {3: "3.0", 5: "5.0", 6: "5.1"}[len(speakers)]
    return write_audio(path, codec, x, layout=layout)


def labelled(path, tag):
    """The same file with another CoreAudio channel layout tag."""
    data = bytearray(path.read_bytes())
    at = data.lower().index(b"chan") + (12 if path.suffix == ".caf" else 8)  # a CAF chunk's size has 8 bytes
    data[at : at + 4] = struct.pack(">I", tag)
    path.write_bytes(data)
    return path


def read_elsewhere(path):
    """Speakers and peaks as a new process reads them."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    speakers, *peaks = done.stdout.split()
    return dict(zip(speakers.split("+"), map(float, peaks), strict=True))


@pytest.mark.parametrize("name", TAGS)
def test_any_order_of_a_mov_becomes_wav_order(tmp_path, name):
    tag, order = TAGS[name]
    speakers = order.split()
    path = labelled(levels(tmp_path / "a.mov", speakers), tag)
    found = read_elsewhere(path)
    wav = [s for s in SIDE.split() if s in speakers]
    assert list(found) == wav
    assert found == pytest.approx({s: LEVELS[s] for s in wav}, abs=2e-3)


@pytest.mark.parametrize("suffix", ["caf", "aiff"])
def test_other_containers_have_their_own_orders_too(tmp_path, suffix):
    codec = "pcm_s24be" if suffix == "aiff" else "pcm_s24le"
    path = labelled(levels(tmp_path / f"a.{suffix}", FILM.split(), codec), TAGS["MPEG_5_1_C"][0])
    assert read_elsewhere(path) == pytest.approx({s: LEVELS[s] for s in SIDE.split()}, abs=2e-3)


def test_channels_are_picked_in_wav_order(tmp_path):
    path = labelled(levels(tmp_path / "a.mov", FILM.split()), TAGS["MPEG_5_1_C"][0])
    sound = read_span(path, Fraction(0), Fraction(1), [Channel(0, 2), Channel(0, 3)])
    assert np.abs(sound).max(axis=1) == pytest.approx([LEVELS["FC"], LEVELS["LFE"]], abs=2e-3)


def test_a_file_in_wav_order_is_left_alone(tmp_path):
    path = levels(tmp_path / "a.mov", SIDE.split(), layout="5.1(side)")
    stream = probe(path).audio[0]
    assert stream.order == ()
    assert stream.layout.ffmpeg == "5.1(side)"


def test_coded_sound_comes_out_of_its_decoder_in_wav_order(tmp_path):
    path = levels(tmp_path / "a.mov", WAV.split(), codec="alac")
    found = read_elsewhere(path)
    assert found == pytest.approx({s: LEVELS[s] for s in WAV.split()}, abs=2e-3)


def test_the_layout_of_what_a_clip_plays(tmp_path):
    info = probe(levels(tmp_path / "a.mov", WAV.split()))
    assert layout_of(info).ffmpeg == "5.1"
    assert layout_of(info, [Channel(0, 4)]).ffmpeg == "mono"
    assert layout_of(info, [Channel(0, c) for c in (0, 1, 2, 4, 5)]).ffmpeg == "5.0"


@pytest.mark.parametrize("missing", [Channel(0, 6), Channel(1, 0), Channel(0, -1)])
def test_a_channel_that_is_not_there_is_one_sentence(tmp_path, missing):
    info = probe(levels(tmp_path / "a.mov", WAV.split()))
    with pytest.raises(MediaError, match="relink the clip"):
        layout_of(info, [Channel(0, 0), missing])
