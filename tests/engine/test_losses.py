import math

import pytest

torch = pytest.importorskip("torch")

from sightmix.engine.errors import TrainingError  # noqa: E402
from sightmix.engine.training import losses  # noqa: E402


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
    x = torch.zeros(1, 3, 9000, requires_grad=True)
    gains = torch.zeros(1, 3, 9, requires_grad=True)
    terms = losses.ProductLoss()(
        x,
        gains,
        x.sum(1),
        torch.zeros(1, 3, 9000),
        torch.zeros(1, 3, 9),
        torch.zeros(1, 3, 9),
        torch.zeros(1, 9000),
    )
    terms["total"].backward()
    assert all(torch.isfinite(v) for v in terms.values())
    assert torch.isfinite(x.grad).all()


def test_unknown_mode_is_named():
    with pytest.raises(TrainingError, match="'loud'"):
        losses.SpectralSettings(mode="loud")


def test_noise_to_signal_is_0_for_silence_and_falls_with_the_error():
    stems = noise(2, 3, 8000)
    assert float(losses.noise_to_signal(torch.zeros_like(stems), stems)) == pytest.approx(0.0, abs=1e-3)
    tenth = float(losses.noise_to_signal(0.9 * stems, stems))
    assert -20.5 < tenth < -17
    assert float(losses.noise_to_signal(stems, stems)) < -20


def test_a_leak_into_a_silent_stem_costs_by_how_far_it_is_under_the_mix():
    stems = noise(1, 3, 8000)
    stems[:, 1] = 0
    leaks = []
    for db in (-10, -20, -30, -80):
        estimate = stems.clone()
        estimate[:, 1] = stems[:, 0] * 10 ** (db / 20)
        leaks.append(float(losses.noise_to_signal(estimate, stems)))
    assert leaks == sorted(leaks, reverse=True)
    assert leaks[0] - leaks[1] > 1.5
    assert all(math.isfinite(v) for v in leaks)


def test_loudness_does_not_change_how_stems_are_judged():
    loss = losses.ProductLoss(losses.LossWeights(remix=0, noise=0, gain=0))
    stems, error = noise(1, 3, 9000), noise(1, 3, 9000, seed=1, scale=0.02)
    zero = torch.zeros(1, 3, 9)
    values = [
        float(loss(s * (stems + error), zero, stems, s * stems, zero, zero, stems)["total"])
        for s in (1.0, 0.1)
    ]
    assert values[0] == pytest.approx(values[1], rel=0.02)


def test_gains_count_only_where_active():
    target, active = torch.zeros(1, 3, 4), torch.zeros(1, 3, 4)
    active[0, 1, 2:] = 1
    predicted = torch.full((1, 3, 4), 9.0)
    predicted[0, 1, 2:] = torch.tensor([3.0, -5.0])
    assert float(losses.gain_loss(predicted, target, active)) == pytest.approx((2.5 + 4.5) / 2)
    assert float(losses.gain_loss(predicted, target, torch.zeros(1, 3, 4))) == 0.0


def test_total_is_the_weighted_sum_and_zero_weights_are_skipped():
    stems, gains = noise(2, 3, 9000), noise(2, 3, 9)
    zero, one = torch.zeros(2, 3, 9), torch.ones(2, 3, 9)
    weights = losses.LossWeights(remix=2.0, stem=0.0, noise=0.5, gain=0.25)
    terms = losses.ProductLoss(weights)(
        0.8 * stems, gains, 0.8 * stems.sum(1), stems, zero, one, stems.sum(1)
    )
    assert set(terms) == {"remix", "noise", "gain", "total"}
    wanted = 2 * terms["remix"] + 0.5 * terms["noise"] + 0.25 * terms["gain"]
    assert float(terms["total"]) == pytest.approx(float(wanted), rel=1e-6)


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
