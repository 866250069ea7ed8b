"""A media header is a claim: unknown codecs, lengths that nobody wrote down, clocks that jump, layouts that change."""

from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import grey_frame, read_number, sweep
from sightmix.engine.errors import MediaError
from sightmix.engine.media import container as module
from sightmix.engine.media.picture import sample_frames
from sightmix.engine.media.reader import probe, read_blocks
from sightmix.engine.passage import Channel

RATE = 48_000


def write_streams(path, sounds, picture=False):
    """A file with a PCM stream for each of `sounds` (channels, n), and Motion JPEG at 24 fps if `picture`."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mjpeg", rate=Fraction(24)) if picture else None
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 48, "yuvj420p"
        streams = [
            out.add_stream("pcm_s16le", rate=RATE, layout="stereo" if len(x) == 2 else "mono") for x in sounds
        ]
        out.start_encoding()
        for number in range(24 if video is not None else 0):
            out.mux(video.encode(grey_frame(number, 64, 48, Fraction(24))))
        for x, stream in zip(sounds, streams, strict=True):
            packed = np.ascontiguousarray(np.rint(x * 32767).astype(np.int16).T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "s16", stream.layout.name)
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        for stream in [*streams, *([video] if video is not None else [])]:
            out.mux(stream.encode(None))
    return path


def rename(path, old, new, which):
    """Give the codec of the stream number `which` among those called `old` another name in its description."""
    data = bytearray(path.read_bytes())
    at = data.index(b"stsd")
    for _ in range(which + 1):
        at = data.index(old, at + 4)
    data[at : at + 4] = new
    path.write_bytes(data)
    return path


def span(path, samples, channels=None, start=0):
    return np.concatenate(list(read_blocks(path, start, samples, channels)), axis=1)


# ---- codecs that nobody knows


def test_a_stream_in_an_unknown_codec_is_passed_over(tmp_path):
    sounds = [sweep(RATE, 2, 1, seed=n) for n in range(2)]
    for which in range(2):
        path = rename(write_streams(tmp_path / f"{which}.mov", sounds, True), b"sowt", b"apac", which)
        info = probe(path)
        assert [(s.index, s.place, s.channels) for s in info.audio] == [(0, 2 - which, 2)]
        assert info.unknown == ("audio",)
        assert info.duration == info.video.duration == 1
        got = span(path, RATE)
        np.testing.assert_allclose(got, sounds[1 - which][:, :RATE], atol=1e-4)
        with pytest.raises(MediaError, match=r"has 1 audio stream\(s\), not 2; relink the clip"):
            span(path, RATE, [Channel(1, 0)])
        assert read_number(sample_frames(path, [Fraction(5, 24)], 48, 64)[0]) == 5


def test_a_picture_in_an_unknown_codec_is_none(tmp_path):
    path = rename(write_streams(tmp_path / "a.mov", [sweep(RATE, 1, 1)], True), b"jpeg", b"zzzz", 0)
    info = probe(path)
    assert info.video is None
    assert info.unknown == ("video",)
    np.testing.assert_allclose(span(path, RATE), sweep(RATE, 1, 1), atol=1e-4)
    with pytest.raises(MediaError, match="has no picture"):
        sample_frames(path, [Fraction(0)], 48, 64)


@pytest.mark.parametrize("kind", [AttributeError, OverflowError, UnicodeDecodeError, MemoryError, ValueError])
def test_whatever_a_file_makes_of_its_readers_is_a_sentence_about_it(tmp_path, monkeypatch, kind):
    path = write_streams(tmp_path / "a.mov", [sweep(RATE, 1, 1)], True)
    error = kind("utf-8", b"x", 0, 1, "no") if kind is UnicodeDecodeError else kind("no")

    def fail(*_):
        raise error

    probe(path)
    with monkeypatch.context() as patch:
        patch.setattr("sightmix.engine.media.reader._to_float", fail)
        with pytest.raises(MediaError, match=r"a\.mov .*; export or copy it again\."):
            span(path, 100)
    with monkeypatch.context() as patch:
        patch.setattr("sightmix.engine.media.picture._scaled", fail)
        with pytest.raises(MediaError, match=r"a\.mov .*; export or copy it again\."):
            sample_frames(path, [Fraction(0)], 48, 64)
    with monkeypatch.context() as patch:
        patch.setattr(module, "presentation_start", fail)
        module._probe.cache_clear()
        with pytest.raises(MediaError, match=r"a\.mov .*; export or copy it again\."):
            probe(path)
