"""What is drawn of a timeline's lanes and what its loudness is reckoned from, against the meters that engines trust."""

from pathlib import Path

import numpy as np
import pytest
from job_helpers import RATE, tone, write
from sightmix.engine.errors import Cancelled, MediaError
from sightmix.engine.highlight.spectral import GainRamps
from sightmix.engine.media.layout import Layout
from sightmix.engine.media.loudness import Meter
from sightmix.engine.progress import Progress
from sightmix.plugin.session.sound import Lanes, lay
from sightmix.plugin.session.survey import Surveyed, decibels, decode, encode, survey
from sightmix.plugin.timeline import open_timeline
from test_programme_jobs import bursts, reel, source

__all__ = ["source"]


def looked_over(lanes: Lanes) -> list[Surveyed]:
    return list(survey(lanes, Progress()))


@pytest.fixture
def lanes(source: Path) -> Lanes:
    timeline = open_timeline(source)
    return Lanes(timeline, lay(timeline))


def test_stretches_follow_on_each_other_and_are_whole(lanes: Lanes) -> None:
    found = looked_over(lanes)
    assert [(s.first, s.seconds) for s in found] == [(0.0, 10.0), (10.0, 2.0)]
    assert [s.peaks.shape for s in found] == [(5, 1000, 2), (5, 200, 2)]
    assert [s.power.shape for s in found] == [(100, 4, 4), (20, 4, 4)]
    assert [s.bands.shape for s in found] == [(4, 64, 100), (4, 64, 20)]


@pytest.mark.parametrize(
    ("first", "seconds", "stretches"), [(12.0, 3.0, [10.0]), (8.0, 4.0, [0.0, 10.0]), (21.0, 1.0, [20.0])]
)
def test_a_part_is_looked_over_as_if_it_were_all(
    tmp_path: Path, first: float, seconds: float, stretches: list[float]
) -> None:
    tone(tmp_path / "song.wav", 25, -22, 300.0)
    bursts(tmp_path / "take.wav", -20, -60, 3, 25.0)
    timeline = open_timeline(
        reel(tmp_path, Dialogue=[("take.wav", 0, 0, 25)], Music=[("song.wav", 0, 0, 25)])
    )
    lanes = Lanes(timeline, lay(timeline))
    whole = {s.first: s for s in looked_over(lanes)}
    found = list(survey(lanes, Progress(), first, seconds))
    assert [s.first for s in found] == stretches
    for part in found:
        np.testing.assert_array_equal(part.peaks, whole[part.first].peaks)
        np.testing.assert_allclose(part.power, whole[part.first].power, rtol=1e-4, atol=1e-9)
        assert np.abs(part.bands.astype(int) - whole[part.first].bands).max() <= 1


def test_peaks_are_the_lowest_and_highest_samples(lanes: Lanes) -> None:
    sound = np.concatenate(list(lanes.blocks()), axis=2)
    peaks = np.concatenate([s.peaks for s in looked_over(lanes)], axis=1)
    cells = np.concatenate([sound, sound.sum(axis=0, keepdims=True)]).reshape(5, 2, -1, RATE // 100)
    np.testing.assert_array_equal(peaks[..., 0], cells.min(axis=(1, 3)))
    np.testing.assert_array_equal(peaks[..., 1], cells.max(axis=(1, 3)))


@pytest.mark.parametrize("channels", [2, 6])
def test_loudness_under_moving_gains_is_what_a_meter_measures(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(7)
    write(tmp_path / "wide.wav", rng.normal(0, 0.05, (channels, 15 * RATE)).astype(np.float32))
    bursts(tmp_path / "take.wav", -20, -60, 3, 15.0)
    tone(tmp_path / "song.wav", 15, -22, 300.0)
    timeline = open_timeline(
        reel(
            tmp_path,
            Dialogue=[("take.wav", 0, 0, 15)],
            Music=[("song.wav", 0, 0, 15)],
            Room=[("wide.wav", 0, 0, 15)],
        )
    )
    lanes = Lanes(timeline, lay(timeline, ["A3=mix"]))
    power = np.concatenate([s.power for s in looked_over(lanes)])
    frames = 646
    times = np.linspace(0, 15, frames)
    gains = np.stack([6 * np.sin(times), -8 + 0 * times, 0 * times]).astype(np.float32)
    ramps = GainRamps(RATE, 3)
    ramps.extend(gains)
    meter = Meter(RATE, channels, Layout.of_count(channels))
    for block in lanes.blocks():
        factors = np.concatenate([ramps.pull(block.shape[2]), np.ones((1, block.shape[2]))])
        meter.push(np.einsum("lcn,ln->cn", block, factors).astype(np.float32))
    at = (np.arange(150) + 0.5) / 10
    factors = np.concatenate(
        [10 ** (np.stack([np.interp(at, times, g) for g in gains]) / 20), np.ones((1, 150))]
    )
    cells = np.einsum("it,tij,jt->t", factors, power, factors)
    blocks = np.convolve(cells, np.full(4, 0.25), "valid")
    np.testing.assert_allclose(10 * np.log10(blocks), 10 * np.log10(meter.gating_energies()), atol=0.1)


def test_a_tone_stands_in_its_band_at_its_level(tmp_path: Path) -> None:
    tone(tmp_path / "song.wav", 11, -20, 1000.0)
    timeline = open_timeline(reel(tmp_path, Music=[("song.wav", 0, 0, 11)]))
    found = looked_over(Lanes(timeline, lay(timeline)))
    levels = decibels(np.concatenate([s.bands for s in found], axis=2))
    centres = np.geomspace(40.0, 16_000.0, 64)
    assert levels.shape == (4, 64, 110)
    rows = levels[1].argmax(axis=0)
    assert set(rows) == {int(np.abs(np.log(centres / 1000)).argmin())}
    inside = levels[1, rows[0], 1:-1]
    assert np.ptp(inside) <= 0.5, "no seam between stretches"
    assert -22 < inside[0] < -18, "a window spreads a tone over its neighbours"
    assert not (levels[[0, 2, 3]] > -120).any()


def test_what_is_sent_is_what_comes(lanes: Lanes) -> None:
    stretch = looked_over(lanes)[1]
    facts, payload = encode(stretch)
    again = decode(facts, payload)
    for name in ("peaks", "power", "bands"):
        np.testing.assert_array_equal(getattr(again, name), getattr(stretch, name))
    assert (again.first, again.seconds) == (stretch.first, stretch.seconds)
    with pytest.raises(MediaError, match="not whole"):
        decode(facts, payload[:-1])


def test_it_stops_where_it_is_told_to(lanes: Lanes) -> None:
    progress = Progress()
    found = survey(lanes, progress)
    next(found)
    progress.cancel()
    with pytest.raises(Cancelled):
        list(found)
