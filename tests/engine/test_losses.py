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
