import math

import pytest

torch = pytest.importorskip("torch")

from sightmix.engine.errors import TrainingError  # noqa: E402
from sightmix.engine.training.loop.metrics import env, w_dis  # noqa: E402
from sightmix.engine.training.networks import losses  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def noise(*shape, seed=0, scale=0.1):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("settings", [losses.PAPER, losses.RELEASED, losses.SpectralSettings(mode="mixed")])
def test_equal_signals_have_no_distance(settings):
    x = noise(2, 9000)
    assert float(losses.SpectralLoss(settings)(x, x)) == 0.0


def test_log_distance_of_a_gain_is_its_logarithm():
    x = noise(2, 20_000, scale=1.0)
    loss = losses.SpectralLoss(losses.SpectralSettings(mode="log"))
    assert float(loss(2 * x, x)) == pytest.approx(math.log(2), rel=1e-4)
    assert float(losses.SpectralLoss(losses.RELEASED)(2 * x, x)) == pytest.approx(0.1 * math.log(2), rel=1e-4)


def test_linear_distance_of_a_gain_is_the_mean_amplitude():
    x = noise(1, 20_000)
    loss = losses.SpectralLoss(losses.PAPER)
    amplitudes = []
    for size in (2048, 1024, 512):
        spectrum = torch.stft(x, size, size // 2, window=torch.hann_window(size), return_complex=True)
        amplitudes.append(float(spectrum.abs().mean()))
    assert float(loss(2 * x, x)) == pytest.approx(sum(amplitudes) / 3, rel=1e-3)


def test_mixed_is_half_of_each():
    a, b = noise(1, 9000), noise(1, 9000, seed=1)
    linear, log, mixed = (
        float(losses.SpectralLoss(losses.SpectralSettings(mode=m))(a, b)) for m in losses.MODES
    )
    assert mixed == pytest.approx((linear + log) / 2, rel=1e-5)


def test_silence_gives_finite_losses_and_gradients():
    x = torch.zeros(1, 9000, requires_grad=True)
    for mode in losses.MODES:
        losses.SpectralLoss(losses.SpectralSettings(mode=mode))(x, torch.zeros(1, 9000)).backward()
    assert torch.isfinite(x.grad).all()


def test_unknown_mode_is_named():
    with pytest.raises(TrainingError, match="'loud'"):
        losses.SpectralSettings(mode="loud")


def test_gains_count_only_where_active():
    target, active = torch.zeros(1, 3, 4), torch.zeros(1, 3, 4)
    active[0, 1, 2:] = 1
    predicted = torch.full((1, 3, 4), 9.0)
    predicted[0, 1, 2:] = torch.tensor([3.0, -5.0])
    assert float(losses.gain_loss(predicted, target, active)) == pytest.approx((2.5 + 4.5) / 2)
    assert float(losses.gain_loss(predicted, target, torch.zeros(1, 3, 4))) == 0.0


def test_every_active_frame_of_a_batch_counts_the_same_whichever_scene_it_is_in():
    """A scene with one active frame has a fifth of the say beside one with four, and a silent one has none."""
    target, active = torch.zeros(3, 3, 4), torch.zeros(3, 3, 4)
    active[0, 0], active[1, 2, 1] = 1, 1
    predicted = torch.tensor([2.0, -10.5, 99.0])[:, None, None].expand(3, 3, 4)
    assert float(losses.gain_loss(predicted, target, active)) == pytest.approx((4 * 1.5 + 10.0) / 5)


def test_descending_the_loss_finds_the_gain():
    stems = noise(1, 3, 9000)
    target = (stems * torch.tensor([2.0, 0.5, 1.0])[:, None]).sum(1)
    log_gain = torch.zeros(1, 3, 1, requires_grad=True)
    optimizer = torch.optim.Adam([log_gain], lr=0.05)
    loss = losses.SpectralLoss(losses.SpectralSettings(sizes=(1024,), mode="linear"))
    for _ in range(60):
        optimizer.zero_grad()
        loss((stems * log_gain.exp()).sum(1), target).backward()
        optimizer.step()
    torch.testing.assert_close(
        log_gain.detach().exp().flatten(), torch.tensor([2.0, 0.5, 1.0]), atol=0.06, rtol=0
    )


@pytest.mark.parametrize("samples", [4410, 4411])
def test_envelope_distance_is_env(samples):
    a, b = noise(2, samples), noise(2, samples, seed=1)
    wanted = sum(env(x.numpy(), y.numpy()) for x, y in zip(a, b, strict=True)) / 2
    assert float(losses.envelope_loss(a, b)) == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(("every", "off"), [(1, 1e-4), (8, 0.05)])
def test_sample_distance_is_w_dis(every: int, off: float) -> None:
    """In order or not: W-dis compares what values occur. A louder sound lies farther by as much as it is louder."""
    a, b = noise(2, 40_000), 1.5 * noise(2, 40_000, seed=1).flip(-1)
    wanted = sum(w_dis(x.numpy(), y.numpy()) for x, y in zip(a, b, strict=True)) / 2
    assert float(losses.sample_loss(a, b, every)) == pytest.approx(wanted, rel=off)
    quiet = (0.5 * b).requires_grad_()
    losses.sample_loss(quiet, b, every).backward()
    assert float((quiet.grad * b).sum()) < 0  # downhill is louder


def test_envelope_distance_of_equal_or_silent_sounds_keeps_its_gradient():
    silent = torch.zeros(1, 1000, requires_grad=True)
    losses.envelope_loss(silent, torch.zeros(1, 1000)).backward()
    assert torch.isfinite(silent.grad).all()


def test_a_gain_in_db_counts_by_its_square_when_small_and_as_it_is_when_large():
    """Smooth l1: d² / 2β within β, |d| - β/2 beyond."""
    target, active = torch.zeros(1, 3, 2), torch.tensor([[[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]])
    predicted = torch.tensor([[[0.4, -3.0], [-0.8, 50.0], [50.0, 50.0]]])
    assert float(losses.gain_loss(predicted, target, active)) == pytest.approx((0.08 + 2.5 + 0.32) / 3)
    assert float(losses.gain_loss(predicted, target, active, beta=2.0)) == pytest.approx(
        (0.04 + 2.0 + 0.16) / 3
    )
    assert float(losses.gain_loss(predicted, target, active * 0.25)) == pytest.approx((0.08 + 2.5 + 0.32) / 4)
    assert float(losses.gain_loss(predicted, target, active > 0)) == pytest.approx((0.08 + 2.5 + 0.32) / 3)


def test_levels_are_logarithms_of_power_per_pair_of_frames():
    """Five frames are three steps, the last of them half silence."""
    power = torch.tensor([[[0.02, 0.18, 1.0, 3.0, 0.2]]])
    true = torch.log10(torch.tensor([[[0.1, 2.0, 0.1]]]) + 0.01)
    assert float(losses.level_loss(true, power, 0.01)) == pytest.approx(0.0, abs=1e-6)
    off = true + torch.tensor([[[0.1, -0.5, 0.0]]])
    # Smooth l1 with β = 0.2: 0.1² / 0.4, then 0.5 - 0.1.
    assert float(losses.level_loss(off, power, 0.01)) == pytest.approx((0.025 + 0.4) / 3, rel=1e-4)


@pytest.mark.parametrize(
    ("gains", "active", "wanted"),
    [
        ([[0.4, 0.0], [0.0, -0.45], [0.0, 0.0]], None, 0),
        ([[0.0, 0.0], [0.0, -0.6], [0.0, 0.0]], None, 1),
        ([[0.6, 0.0], [0.0, 0.0], [0.0, 0.0]], None, 1),
        ([[0.5, 0.0], [0.0, 0.0], [0.0, 0.0]], None, 0),
        ([[9.0, 9.0], [0.0, 0.0], [0.0, 0.0]], [[0, 0], [1, 1], [1, 1]], 0),
    ],
)
def test_a_clip_is_touched_if_a_gain_that_counts_passes_half_a_db(gains, active, wanted):
    gains_db = torch.tensor([gains])
    active = torch.ones_like(gains_db) if active is None else torch.tensor([active], dtype=torch.float32)
    odds = torch.tensor([1.5])
    entropy = math.log(1 + math.exp(-1.5 if wanted else 1.5))
    assert float(losses.touched_loss(odds, gains_db, active)) == pytest.approx(entropy, rel=1e-5)
    assert float(losses.touched_loss(-odds, gains_db, active)) == pytest.approx(
        math.log(1 + math.exp(1.5 if wanted else -1.5)), rel=1e-5
    )


def test_touched_is_told_clip_by_clip_and_where_it_begins():
    gains = torch.zeros(2, 3, 4)
    gains[1, 2, 3] = 2.0
    both = losses.touched_loss(torch.tensor([-20.0, 20.0]), gains, torch.ones_like(gains))
    assert float(both) == pytest.approx(0.0, abs=1e-6)
    strict = losses.touched_loss(torch.tensor([-20.0, -20.0]), gains, torch.ones_like(gains), least_db=2.5)
    assert float(strict) == pytest.approx(0.0, abs=1e-6)


def test_sample_distance_takes_every_eighth_sample():
    a, b = torch.zeros(1, 32), torch.zeros(1, 32)
    a[0, ::8] = torch.tensor([3.0, -1.0, 0.0, 5.0])
    b[0, 1::8] = 100.0
    assert float(losses.sample_loss(a, b)) == pytest.approx((3 + 1 + 0 + 5) / 4)
    assert float(losses.sample_loss(a, a.flip(-1).roll(1, -1), 8)) == 0.0


def test_envelopes_of_tones_are_their_amplitudes():
    """Two steady tones differ by the difference of their amplitudes, whatever their phase; the mean over clips."""
    t = torch.arange(4000) / 4000
    a = torch.stack([torch.sin(2 * math.pi * 50 * t), 0.2 * torch.cos(2 * math.pi * 70 * t)])
    b = torch.stack([0.4 * torch.cos(2 * math.pi * 50 * t), 0.5 * torch.sin(2 * math.pi * 70 * t)])
    assert float(losses.envelope_loss(a, b)) == pytest.approx((0.6 + 0.3) / 2, rel=1e-3)
    direct = torch.full((1, 4000), 0.25)
    assert float(losses.envelope_loss(direct, torch.zeros(1, 4000))) == pytest.approx(0.25, rel=1e-3)
    fastest = 0.3 * torch.tensor([1.0, -1.0]).repeat(2000)[None]
    assert float(losses.envelope_loss(fastest, torch.zeros(1, 4000))) == pytest.approx(0.3, rel=1e-3)


def test_envelopes_stand_on_a_floor_of_a_hundred_thousandth():
    """It keeps gradients finite: 2e-5 against silence is sqrt(5) - 1 times the floor, and that once more on it."""
    faint, silent = torch.full((1, 100), 2e-5), torch.zeros(1, 100)
    wanted = 1e-5 * math.hypot(math.sqrt(5) - 1, 1)
    assert float(losses.envelope_loss(faint, silent)) == pytest.approx(wanted, rel=1e-2)


def test_spectral_settings_are_those_of_paper_code_and_house():
    house = losses.SpectralSettings()
    assert (house.sizes, house.overlap, house.mode, house.factor) == ((2048, 1024, 512), 4, "log", 1.0)
    assert losses.SpectralSettings(overlap=2, mode="linear") == losses.PAPER
    assert losses.SpectralSettings(overlap=2, mode="log", factor=0.1) == losses.RELEASED
    assert losses.SpectralLoss().settings == house


def test_amplitudes_are_centred_frames_with_a_floor():
    loss = losses.SpectralLoss()
    x = noise(2, 3, 4000)
    seen = loss.magnitude(x, 512)
    assert seen.shape == (6, 257, 1 + 4000 // 128)
    window = torch.hann_window(512)
    plain = torch.fft.rfft(x[1, 2, 10 * 128 - 256 : 10 * 128 + 256] * window).abs()
    torch.testing.assert_close(seen[5, :, 10], plain, rtol=1e-4, atol=1e-4)
    assert float(loss.magnitude(torch.zeros(1, 4000), 512).max()) == pytest.approx(math.sqrt(1e-7), rel=1e-4)
    assert loss.magnitude(x.half(), 512).dtype == torch.float32


def test_nobody_learns_to_move_the_target():
    a, b = noise(1, 9000).requires_grad_(), noise(1, 9000, seed=1).requires_grad_()
    losses.SpectralLoss()(a, b).backward()
    assert a.grad is not None
    assert b.grad is None
