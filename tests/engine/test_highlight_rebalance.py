"""Rebalancing a passage on real files: identity, sums, streaming, channels, determinism, bad input."""

from __future__ import annotations

import errno
import threading
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
from sightmix.engine.errors import Cancelled, MediaError, ModelError, SettingsError, WriteError
from sightmix.engine.highlight import rebalance as module
from sightmix.engine.highlight.config import HOP, MODEL_RATE, WINDOW_FRAMES, to_reference
from sightmix.engine.highlight.context import Glances, WindowContext, empty_context, frames_context
from sightmix.engine.highlight.rebalance import Rebalancer
from sightmix.engine.highlight.settings import RebalanceSettings
from sightmix.engine.highlight.spectral import GainRamps, MaskedStems, magnitudes
from sightmix.engine.highlight.windows import Joiner, Window, choose_join, cut_frames, next_window
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import measure
from sightmix.engine.media.reader import probe
from sightmix.engine.media.resample import resample
from sightmix.engine.media.writer import WavWriter
from sightmix.engine.passage import Channel, Note, Passage, Shot, Sound
from sightmix.engine.progress import Progress

FULL = RebalanceSettings()
OFF = RebalanceSettings(strength=0)


@pytest.fixture
def rebalancer(tiny_model: str) -> Rebalancer:
    return Rebalancer(tiny_model, threads=1)


def programme(rate: int, channels: int, seconds: float, seed: int = 0) -> np.ndarray:
    """Something with loud and quiet stretches, tones and noise, exact in 24 bits, (samples, channels)."""
    rng = np.random.default_rng(seed)
    n = int(rate * seconds)
    t = np.arange(n) / rate
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 0.3 * t)
    x = 0.1 * rng.standard_normal((n, channels)) * swell[:, None]
    x += 0.1 * np.sin(2 * np.pi * np.outer(t, 220 * (1 + np.arange(channels))))
    return np.round(x * 2**23) / 2**23


def write(path: Path, x: np.ndarray, rate: int) -> Path:
    sf.write(path, x, rate, subtype="PCM_24")
    return path


def passage(path: Path, start: float = 0, duration: float = 3, **more: object) -> Passage:
    return Passage("1", "clip", Sound(path, Fraction(start), Fraction(duration)), **more)  # type: ignore[arg-type]


def read(path: Path) -> np.ndarray:
    return sf.read(path, dtype="float64", always_2d=True)[0]


@pytest.mark.parametrize(
    ("rate", "channels"), [(48_000, 1), (48_000, 2), (44_100, 2), (48_000, 6), (96_000, 2)]
)
def test_strength_zero_is_the_input_to_the_last_bit(
    rebalancer: Rebalancer, tmp_path: Path, rate: int, channels: int
) -> None:
    x = programme(rate, channels, 5)
    source = write(tmp_path / "in.wav", x, rate)
    rendition = rebalancer.render(passage(source, 1, 3), OFF, tmp_path, "out", Progress())
    assert np.array_equal(read(rendition.path), x[rate : 4 * rate])
    assert (rendition.sample_rate, rendition.channels, rendition.samples) == (rate, channels, 3 * rate)
    assert rendition.before == rendition.after


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (48_000, 2), (48_000, 6)])
def test_stems_sum_to_the_mix(rebalancer: Rebalancer, tmp_path: Path, rate: int, channels: int) -> None:
    source = write(tmp_path / "in.wav", programme(rate, channels, 4), rate)
    rendition = rebalancer.render(passage(source), replace(FULL, stems=True), tmp_path, "out", Progress())
    assert set(rendition.stems) == {"speech", "music", "effects"}
    mix = read(rendition.path)
    error = sum(read(p) for p in rendition.stems.values()) - mix
    assert 20 * np.log10(np.abs(error).max()) <= -120
    assert np.abs(mix - read(source)[: len(mix)]).max() > 1e-3, (
        "the model must act, or the sum proves nothing"
    )


def test_user_gains_move_everything_they_name(rebalancer: Rebalancer, tmp_path: Path) -> None:
    """All three stems down by 6 dB is the whole sound down by 6 dB."""
    x = programme(48_000, 2, 3)
    source = write(tmp_path / "in.wav", x, 48_000)
    settings = RebalanceSettings(strength=0, dialogue_db=-6, music_db=-6, effects_db=-6)
    rendition = rebalancer.render(passage(source), settings, tmp_path, "out", Progress())
    assert np.abs(read(rendition.path) - x * 10 ** (-6 / 20)).max() < 3e-7
    assert set(rendition.gains.levels["speech"]) == {-6.0}
    before, after = rendition.stem_levels["speech"]
    assert after - before == pytest.approx(-6, abs=0.01)


def test_channels_keep_their_places(rebalancer: Rebalancer, tmp_path: Path) -> None:
    """The same masks on every channel: a channel's sound never leaks into another."""
    x = programme(48_000, 6, 4)
    x[:, 3] = 0
    source = write(tmp_path / "in.wav", x, 48_000)
    rendition = rebalancer.render(passage(source), FULL, tmp_path, "out", Progress())
    out = read(rendition.path)
    assert np.abs(out[:, 3]).max() == 0
    doubled = write(tmp_path / "two.wav", np.repeat(x[:, :1], 2, axis=1), 48_000)
    pair = read(rebalancer.render(passage(doubled), FULL, tmp_path, "pair", Progress()).path)
    assert np.array_equal(pair[:, 0], pair[:, 1])


def test_chosen_channels_and_handles(rebalancer: Rebalancer, tmp_path: Path) -> None:
    x = programme(48_000, 4, 6)
    source = write(tmp_path / "in.wav", x, 48_000)
    sound = Sound(source, Fraction(2), Fraction(3), (Channel(0, 2), Channel(0, 0)))
    clip = Passage("1", "clip", sound, head=Fraction(1, 2), tail=Fraction(1, 4))
    rendition = rebalancer.render(clip, OFF, tmp_path, "out", Progress())
    assert rendition.start == Fraction(-1, 2)
    assert np.array_equal(read(rendition.path), x[72_000:252_000][:, [2, 0]])
    assert rendition.gains.times[0] == pytest.approx(-0.5 + 512 / MODEL_RATE, abs=1e-3)


def test_a_clip_at_an_ntsc_frame_starts_at_its_rounded_sample(rebalancer: Rebalancer, tmp_path: Path) -> None:
    x = programme(48_000, 1, 4)
    source = write(tmp_path / "in.wav", x, 48_000)
    frame = Fraction(1001, 30_000)
    clip = Passage("1", "c", Sound(source, 31 * frame, 60 * frame), head=12 * frame, tail=12 * frame)
    rendition = rebalancer.render(clip, OFF, tmp_path, "out", Progress())
    head = round(float(12 * frame * 48_000))
    start = round(float(31 * frame * 48_000))
    length = round(float(91 * frame * 48_000)) - start
    assert np.array_equal(read(rendition.path)[head : head + length], x[start : start + length])


def whole_clip(rebalancer: Rebalancer, x: np.ndarray, rate: int, cuts: list[Fraction]) -> np.ndarray:
    """The same algorithm over arrays held whole: an independent road to the rendered sound."""
    channels = x.shape[1]
    sound = x.T.astype(np.float32)
    downmix = (Layout.of_count(channels).mono @ sound)[None].astype(np.float32)
    level = to_reference(measure(downmix, rate).integrated)
    mono = resample(downmix * np.float32(level), rate, MODEL_RATE)[0]
    total = -(-mono.size // HOP)
    padded = np.pad(mono, (0, (total + WINDOW_FRAMES) * HOP - mono.size))
    windows, energies = [Window(0, 0, 0)], padded[: (padded.size // HOP) * HOP].reshape(-1, HOP)
    at_cuts = cut_frames(cuts, Fraction(0))
    while windows[-1].start + WINDOW_FRAMES < total:
        start = windows[-1].start
        energy = np.square(energies[start : start + WINDOW_FRAMES]).mean(axis=1)
        windows.append(next_window(choose_join(start, at_cuts, energy), total))
    joiner, masks, gains = Joiner(), [], []
    context = empty_context(1280)
    for i, window in enumerate(windows):
        piece = padded[window.start * HOP :][: WINDOW_FRAMES * HOP]
        m, g = rebalancer.network.run(
            magnitudes(piece)[None],
            piece[None],
            context.features[None],
            context.times[None],
            context.valid[None],
        )
        end = windows[i + 1].fade_start if i + 1 < len(windows) else total
        done = joiner.add(window, (m[0], g[0]), end, total)
        masks.append(done[0])
        gains.append(done[1])
    mixer, ramps = MaskedStems(rate, channels, 2), GainRamps(rate, 3)
    mixer.push(sound)
    mixer.extend(np.concatenate(masks, axis=2)[:2])
    ramps.extend(np.concatenate(gains, axis=1))
    dry, wet = mixer.pull(last=True)
    g = ramps.pull(dry.shape[1])
    return (g[0] * wet[0] + g[1] * wet[1] + g[2] * (dry - wet[0] - wet[1])).T


@pytest.mark.parametrize("block", [7_777, 65_536, 2_000_000])
def test_streaming_equals_the_whole_clip(
    rebalancer: Rebalancer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    rate, x = 48_000, programme(48_000, 2, 31)
    source = write(tmp_path / "in.wav", x, rate)
    shots = tuple(Shot(Fraction(i * 7), Fraction(7), None) for i in range(5))
    plain = module.read_blocks
    monkeypatch.setattr(module, "read_blocks", lambda *a, **k: plain(*a, block=block, **k))
    rendition = rebalancer.render(passage(source, 0, 31, shots=shots), FULL, tmp_path, "out", Progress())
    wanted = whole_clip(rebalancer, x, rate, [s.start for s in shots[1:]])
    assert np.abs(read(rendition.path) - wanted).max() <= 1e-5
    assert np.abs(wanted - x).max() > 1e-2


def test_same_input_same_bytes(rebalancer: Rebalancer, tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", programme(48_000, 2, 12), 48_000)
    first = rebalancer.render(passage(source, 0, 12), FULL, tmp_path, "a", Progress()).path.read_bytes()
    assert (
        first == rebalancer.render(passage(source, 0, 12), FULL, tmp_path, "b", Progress()).path.read_bytes()
    )


@pytest.mark.parametrize("seconds", [0.01, 0.4, 9.99, 10.01, 10.5])
def test_lengths_around_a_window(rebalancer: Rebalancer, tmp_path: Path, seconds: float) -> None:
    source = write(tmp_path / "in.wav", programme(44_100, 1, seconds), 44_100)
    samples = len(read(source))
    clip = Passage("1", "c", Sound(source, Fraction(0), Fraction(samples, 44_100)))
    rendition = rebalancer.render(clip, FULL, tmp_path, "out", Progress())
    assert len(read(rendition.path)) == rendition.samples == samples


def film(path: Path, seconds: int) -> Path:
    """A film whose picture turns from red to blue after half its length."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for i in range(24 * seconds):
            pixels = np.zeros((64, 64, 3), np.uint8)
            pixels[..., 0 if i < 12 * seconds else 2] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_the_picture_is_looked_at_shot_by_shot(rebalancer: Rebalancer, tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", programme(48_000, 2, 6), 48_000)
    movie = film(tmp_path / "film.mp4", 6)
    shots = (Shot(Fraction(0), Fraction(3), movie), Shot(Fraction(3), Fraction(3), movie, Fraction(3)))
    seen = rebalancer.render(passage(source, 0, 6, shots=shots), FULL, tmp_path, "seen", Progress())
    assert {f.shot for f in seen.frames} == {0, 1}
    assert all((f.time < 3) == (f.shot == 0) for f in seen.frames)
    assert seen.provenance["context"] == "efficientnet-lite0"
    blind = rebalancer.render(passage(source, 0, 6), FULL, tmp_path, "blind", Progress())
    assert blind.provenance["context"] == "none"
    assert blind.gains != seen.gains, "the picture must matter"


def test_a_picture_that_cannot_be_read_costs_a_warning_not_the_clip(
    rebalancer: Rebalancer, tmp_path: Path
) -> None:
    source = write(tmp_path / "in.wav", programme(48_000, 2, 3), 48_000)
    (tmp_path / "bad.mp4").write_bytes(b"nothing of a film" * 50)
    shots = (Shot(Fraction(0), Fraction(3), tmp_path / "bad.mp4"),)
    rendition = rebalancer.render(passage(source, shots=shots), FULL, tmp_path, "out", Progress())
    assert len(rendition.warnings) == 1
    assert "bad.mp4" in rendition.warnings[0]
    assert rendition.path.exists()


def test_a_sum_past_full_scale_is_kept_in_float(rebalancer: Rebalancer, tmp_path: Path) -> None:
    x = programme(48_000, 1, 3)
    source = write(tmp_path / "in.wav", x, 48_000)
    louder = RebalanceSettings(strength=0, dialogue_db=20, music_db=20, effects_db=20)
    rendition = rebalancer.render(passage(source), louder, tmp_path, "out", Progress())
    assert sf.info(rendition.path).subtype == "FLOAT"
    assert np.abs(read(rendition.path) - 10 * x).max() < 1e-5
    assert rendition.after.true_peak > 0


def test_what_passes_full_scale_is_rendered_once(rebalancer: Rebalancer, tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", 0.9 * np.sign(programme(48_000, 2, 3)), 48_000)
    done: list[float] = []
    progress = Progress(lambda step: done.append(step.done) if step.stage == "rebalance" else None)
    settings = RebalanceSettings(strength=0, dialogue_db=6, music_db=6, effects_db=6, stems=True)
    rendition = rebalancer.render(passage(source), settings, tmp_path, "out", progress)
    assert sf.info(rendition.path).subtype == "FLOAT"
    assert done == sorted(done), "the sound was gone through again"
    assert not list(tmp_path.glob(".*"))


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_cancelling_leaves_nothing(rebalancer: Rebalancer, tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", programme(48_000, 2, 12), 48_000)
    out = tmp_path / "out"
    out.mkdir()
    progress = Progress()
    progress.observe = lambda step: progress.cancel() if step.done > 2 else None
    with pytest.raises(Cancelled):
        rebalancer.render(passage(source, 0, 12), replace(FULL, stems=True), out, "x", progress)
    assert leftovers(out) == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    rebalancer: Rebalancer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sightmix.engine.media.writer import WavWriter

    source = write(tmp_path / "in.wav", programme(48_000, 2, 4), 48_000)
    out = tmp_path / "out"
    out.mkdir()
    real = WavWriter.write

    def full(self: WavWriter, block: np.ndarray) -> None:
        if self.samples + block.shape[1] > 30_000:
            self._fail(OSError(errno.ENOSPC, "No space left on device"))
        real(self, block)

    monkeypatch.setattr(WavWriter, "write", full)
    with pytest.raises(WriteError, match="space"):
        rebalancer.render(passage(source), FULL, out, "x", Progress())
    assert leftovers(out) == []


def test_bad_clips_are_one_sentence_each(rebalancer: Rebalancer, tmp_path: Path) -> None:
    good = write(tmp_path / "in.wav", programme(48_000, 1, 1), 48_000)
    cases = {
        "no length": passage(good, 0, 0),
        "hours": passage(good, 0, 30 * 3600),
        "gone": passage(tmp_path / "gone.wav"),
    }
    (tmp_path / "text.wav").write_text("I am a text")
    cases["text"] = passage(tmp_path / "text.wav")
    broken = programme(48_000, 1, 1).astype(np.float32)
    broken[30_000] = np.nan
    sf.write(tmp_path / "nan.wav", broken, 48_000, subtype="FLOAT")
    cases["nan"] = passage(tmp_path / "nan.wav", 0, 1)
    cases["shorter than a sample"] = Passage("1", "c", Sound(good, Fraction(0), Fraction(1, 200_000)))
    for name, clip in cases.items():
        out = tmp_path / f"out-{name}"
        out.mkdir()
        with pytest.raises(MediaError) as caught:
            rebalancer.render(clip, FULL, out, "x", Progress())
        assert str(caught.value).count("\n") == 0
        assert leftovers(out) == []


def test_curves_say_when_to_a_tenth_of_a_millisecond(rebalancer: Rebalancer, tmp_path: Path) -> None:
    """A point every fourth frame, at its middle; every frame, and finer, for hosts that apply them to raw stems."""
    source = write(tmp_path / "in.wav", programme(48_000, 1, 2), 48_000)
    clip = Passage("1", "c", Sound(source, Fraction(1, 3), Fraction(1)), head=Fraction(1, 3))
    plain = rebalancer.render(clip, FULL, tmp_path, "a", Progress()).gains
    raw = replace(FULL, stems=True, raw_stems=True)
    rendition = rebalancer.render(clip, raw, tmp_path, "b", Progress())
    fine = rendition.gains
    assert rendition.raw_stems
    assert not rebalancer.render(clip, replace(FULL, stems=True), tmp_path, "c", Progress()).raw_stems
    middles = [(k * HOP + HOP / 2) / MODEL_RATE - 1 / 3 for k in range(-(-58_800 // HOP))]
    assert plain.times == tuple(round(t, 4) for t in middles[::4])
    assert fine.times == tuple(round(t, 9) for t in middles)
    for stem, levels in fine.levels.items():
        assert plain.levels[stem] == tuple(round(g, 3) for g in levels[::4])
        assert levels != plain.levels[stem]
        assert levels == tuple(round(g, 6) for g in levels)


def test_time_that_is_spent_is_booked_where_it_was_spent() -> None:
    class Slow:
        config, device = None, "cpu"

        def run(self, spectrogram, *rest):
            time.sleep(0.2)
            return np.full((1, 3, 2048, WINDOW_FRAMES), 1 / 3, np.float32), np.zeros((1, 3, WINDOW_FRAMES))

    def context(start: Fraction, duration: Fraction):
        time.sleep(0.05)
        return replace(empty_context(4), seconds={"decode": 3.0, "context": 5.0})

    none = np.array([], np.intp)
    analysis = module.Analysis(Slow(), context, 44_100, 44_100, np.ones(1, np.float32), none, Fraction(0))
    list(analysis.push(np.zeros((1, 44_100), np.float32), last=True))
    analysis.stream.close()
    seconds = analysis.stream.seconds
    assert (seconds["decode"], seconds["context"]) == (3.0, 5.0)
    assert seconds["network"] >= 0.2 > seconds["wait"]


def test_a_window_at_work_holds_nobody_up_who_wants_to_stop() -> None:
    """The network is still at its window when the work has stopped."""
    go_on, progress = threading.Event(), Progress()

    class Endless:
        config, device = None, "cpu"

        def run(self, spectrogram, *rest):
            progress.cancel()
            assert go_on.wait(60)
            return np.full((1, 3, 2048, WINDOW_FRAMES), 1 / 3, np.float32), np.zeros((1, 3, WINDOW_FRAMES))

    none, one = np.array([], np.intp), np.ones(1, np.float32)
    analysis = module.Analysis(
        Endless(), lambda *_: empty_context(4), 44_100, 44_100, one, none, Fraction(0), check=progress.check
    )
    with pytest.raises(Cancelled):
        list(analysis.push(np.zeros((1, 44_100), np.float32), last=True))
    assert not go_on.is_set()
    analysis.stream.close()
    go_on.set()


def test_the_picture_encoder_is_given_one_thread_and_the_networks_device(
    tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, int]] = []
    monkeypatch.setattr(
        module, "load_encoder", lambda name, device, threads: asked.append((name, device, threads))
    )
    Rebalancer(tiny_model, device="cpu", threads=1)
    assert asked == [("efficientnet-lite0", "cpu", 1)]


@pytest.mark.parametrize("db", [-60.0, 24.0])
def test_the_widest_offsets_are_allowed_and_no_more(db: float) -> None:
    for name in ("dialogue_db", "music_db", "effects_db"):
        assert getattr(RebalanceSettings(**{name: db}), name) == db
        with pytest.raises(SettingsError, match=r"must lie in -60…24 dB"):
            RebalanceSettings(**{name: db * 1.01})
    offsets = RebalanceSettings(dialogue_db=1, music_db=2, effects_db=3).offsets_db
    assert offsets.tolist() == [[1], [2], [3]]
    for strength in (0, 1):
        assert RebalanceSettings(strength=strength).to_dict()["strength"] == strength
    for strength in (-0.01, 1.01):
        with pytest.raises(SettingsError, match="Strength"):
            RebalanceSettings(strength=strength)


def test_settings_and_contexts_that_cannot_be(tiny_model: str) -> None:
    with pytest.raises(SettingsError, match="Strength"):
        RebalanceSettings(strength=1.2)
    with pytest.raises(SettingsError, match="Music"):
        RebalanceSettings(music_db=99)
    with pytest.raises(SettingsError, match="Context"):
        RebalanceSettings(context="smell")
    with pytest.raises(ModelError, match="not captions"):
        Rebalancer(tiny_model, context="captions")
    with pytest.raises(ModelError, match="not with CLIP"):
        Rebalancer(tiny_model, context="clip")
    assert Rebalancer(tiny_model, context="none", threads=1).pictures is None


def test_markers_reach_a_text_model_through_captions(rebalancer: Rebalancer) -> None:
    class Letters:
        name, dim = "t5-letters", 1280

        def encode(self, texts: list[str]) -> np.ndarray:
            return np.array([[len(t)] * 1280 for t in texts], np.float32)

    rebalancer.pictures, rebalancer.texts = None, Letters()  # type: ignore[assignment]
    clip = replace(passage(Path("x.wav")), notes=(Note(Fraction(0), Fraction(2), "a dog barks"),))
    context = rebalancer.window_context(clip, Fraction(0), Fraction(10), Progress())
    assert context.valid.any()
    assert float(context.features[0, 0]) == len("a dog barks")


class Colours:
    """A picture encoder that says how red, green and blue a picture is."""

    name, dim, size = "colours", 3, 16

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        return pictures.mean((1, 2)).astype(np.float32) / 255


def test_a_window_is_told_what_is_seen_and_when(tmp_path: Path) -> None:
    """Red for three seconds and blue for three, from a clip that begins a second into the film."""
    movie = film(tmp_path / "film.mp4", 6)
    shots = (Shot(Fraction(-1), Fraction(3), movie), Shot(Fraction(2), Fraction(3), movie, Fraction(3)))
    start = Fraction(1, 2)
    seen = frames_context(
        passage(movie, shots=shots),
        start,
        Fraction(4),
        Colours(),
        Progress(),  # type: ignore[arg-type]
    )
    n = int(seen.valid.sum())
    assert n == len(seen.frames) >= 4
    assert seen.valid.tolist() == [True] * n + [False] * (10 - n)
    assert seen.features.shape == (10, 3)
    assert not seen.features[n:].any()
    assert not seen.times[n:].any()
    for row, time_s, frame in zip(seen.features, seen.times, seen.frames, strict=False):
        assert time_s == pytest.approx(frame.time - float(start))
        assert 0 <= time_s < 4
        assert frame.shot == (0 if frame.time < 2 else 1)
        assert row.argmax() == (0 if frame.shot == 0 else 2)
        assert row.max() > 0.8
    assert {frame.shot for frame in seen.frames} == {0, 1}
    assert seen.warnings == ()
    assert set(seen.seconds) == {"decode", "context"}
    assert min(seen.seconds.values()) >= 0


def test_what_was_just_seen_is_not_read_again_and_another_shot_is(tmp_path: Path) -> None:
    movie = film(tmp_path / "film.mp4", 6)
    read: list[int] = []

    class Counting(Colours):
        def encode(self, pictures: np.ndarray) -> np.ndarray:
            read.append(len(pictures))
            return super().encode(pictures)

    shots = (Shot(Fraction(-1), Fraction(3), movie), Shot(Fraction(2), Fraction(3), movie, Fraction(3)))
    glances = Glances()

    def looked(start: Fraction, seen: tuple[Shot, ...]) -> WindowContext:
        asked = passage(movie, shots=seen), start, Fraction(4), Counting(), Progress(), glances
        return frames_context(*asked)  # type: ignore[arg-type]

    first = looked(Fraction(1, 2), shots)
    again = looked(Fraction(501, 1000), shots)
    assert len(read) == 1
    np.testing.assert_array_equal(again.features, first.features)
    np.testing.assert_array_equal(again.valid, first.valid)
    # The same place in the file, in a shot that holds less of it: a picture of the longer one may lie outside.
    looked(Fraction(1, 2), (shots[0], Shot(Fraction(2), Fraction(5, 2), movie, Fraction(3))))
    assert len(read) == 2


def six_tracks(path: Path, x: np.ndarray, rate: int) -> Path:
    """A MOV with a mono stream per channel, as broadcasters lay 5.1 on tracks."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s24le", rate=rate, layout="mono") for _ in x.T]
        for stream, channel in zip(streams, x.T, strict=True):
            whole = np.ascontiguousarray(np.round(channel * 2**31).astype(np.int32)[None])
            frame = av.AudioFrame.from_ndarray(whole, format="s32", layout="mono")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def test_surround_is_heard_alike_however_a_file_says_it(rebalancer: Rebalancer, tmp_path: Path) -> None:
    rate, x = 48_000, programme(48_000, 6, 3)
    x[:, 3] = 0.5 * np.sin(2 * np.pi * 40 * np.arange(len(x)) / rate)
    x = np.round(x * 2**23) / 2**23
    with WavWriter(tmp_path / "mask.wav", rate, 6, layout=Layout.named("5.1")) as writer:
        writer.write(x.T.astype(np.float32))
    bare = bytearray((tmp_path / "mask.wav").read_bytes())
    at = bare.index(b"fmt ") + 28
    assert bare[at : at + 4] == b"\x3f\0\0\0"
    bare[at : at + 4] = bytes(4)
    (tmp_path / "bare.wav").write_bytes(bare)
    tracks = six_tracks(tmp_path / "tracks.mov", x, rate)
    picks = tuple(Channel(stream, 0) for stream in range(6))
    made = [
        rebalancer.render(clip, FULL, tmp_path, f"out{number}", Progress())
        for number, clip in enumerate(
            [
                passage(tmp_path / "mask.wav"),
                passage(tmp_path / "bare.wav"),
                replace(passage(tracks), sound=Sound(tracks, Fraction(0), Fraction(3), picks)),
            ]
        )
    ]
    for other in made[1:]:
        assert other.gains == made[0].gains
        assert (other.before, other.after) == (made[0].before, made[0].after)
        assert other.path.read_bytes() == made[0].path.read_bytes()


@pytest.mark.parametrize("name", ["3.1", "4.0", "quad(side)", "5.1(side)", "7.0", "7.1.4"])
def test_a_rendering_keeps_its_layout(rebalancer: Rebalancer, tmp_path: Path, name: str) -> None:
    layout = Layout.named(name)
    with WavWriter(tmp_path / "in.wav", 48_000, layout.channels, layout=layout) as writer:
        writer.write(programme(48_000, layout.channels, 1.5).T.astype(np.float32))
    clip = passage(tmp_path / "in.wav", duration=1)
    rendition = rebalancer.render(clip, replace(FULL, stems=True), tmp_path, "out", Progress())
    for path in (rendition.path, *rendition.stems.values()):
        assert probe(path).audio[0].layout == layout
