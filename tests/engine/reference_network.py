"""The networks written out plainly in NumPy float64: what the papers and the released sizes say, one clip at a time.

Sources: VisAH (paper, section 3.2) over Hybrid Demucs v3 (its layers, local attention, chunked recurrence, frequency
embedding), pre-norm transformers; the product model as docs/training.md and the classes' own docstrings promise it.
Slow on purpose: sums over taps, steps, bands and heads, so that nothing is shared with what is being checked.
Sequences are (channels, steps) in the U-Net and (steps, width) in transformers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

A = NDArray[np.float64]
STEP_S = 2048 / 44100  # of the latent sequence
BANDS = [12] * 16 + [24] * 8 + [64] * 6 + [128] * 6 + [256] * 2  # bins of each band


class Weights:
    """A state dictionary below a prefix: `w["norm.weight"]`, `w.at("layers.0")`."""

    def __init__(self, state: Mapping[str, A], prefix: str = "") -> None:
        self._state, self._prefix = state, prefix

    def __getitem__(self, name: str) -> A:
        return np.asarray(self._state[self._prefix + name], np.float64)

    def at(self, part: str) -> Weights:
        return Weights(self._state, f"{self._prefix}{part}.")

    def count(self, part: str) -> int:
        """How many numbered members a list has."""
        head = f"{self._prefix}{part}."
        return len({k[len(head) :].split(".")[0] for k in self._state if k.startswith(head)})


def gelu(x: A) -> A:
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def sigmoid(x: A) -> A:
    return 1 / (1 + np.exp(-x))


def softmax(x: A, axis: int) -> A:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def glu(x: A, axis: int = 0) -> A:
    """The first half, let through by the second."""
    value, gate = np.split(x, 2, axis)
    return value * sigmoid(gate)


def linear(w: Weights, x: A) -> A:
    return np.einsum("oi,...i->...o", w["weight"], x) + w["bias"]


def layer_norm(w: Weights, x: A) -> A:
    middle = x - x.mean(-1, keepdims=True)
    return middle / np.sqrt((middle**2).mean(-1, keepdims=True) + 1e-5) * w["weight"] + w["bias"]


def group_norm(w: Weights, x: A, groups: int, eps: float = 1e-5) -> A:
    """(C, …), every group of channels brought to zero mean and unit variance together."""
    out = np.empty_like(x)
    each = x.shape[0] // groups
    shape = (-1,) + (1,) * (x.ndim - 1)
    for g in range(groups):
        part = slice(g * each, (g + 1) * each)
        out[part] = (x[part] - x[part].mean()) / np.sqrt(x[part].var() + eps)
    return out * w["weight"].reshape(shape) + w["bias"].reshape(shape)


def conv(w: Weights, x: A, stride: int = 1, pad: int = 0, dilation: int = 1) -> A:
    """(C, T), tap by tap."""
    weight, bias = w["weight"], w["bias"]
    taps = weight.shape[2]
    x = np.pad(x, ((0, 0), (pad, pad)))
    steps = (x.shape[1] - dilation * (taps - 1) - 1) // stride + 1
    out = np.repeat(bias[:, None], steps, 1)
    for k in range(taps):
        out += weight[:, :, k] @ x[:, k * dilation :][:, : (steps - 1) * stride + 1 : stride]
    return out


def conv_both(w: Weights, x: A) -> A:
    """(C, F, T) with a square kernel of odd size and as much padding as keeps the shape."""
    weight, bias = w["weight"], w["bias"]
    high, wide = weight.shape[2:]
    padded = np.pad(x, ((0, 0), (high // 2, high // 2), (wide // 2, wide // 2)))
    out = np.broadcast_to(bias[:, None, None], (len(bias), *x.shape[1:])).copy()
    for i in range(high):
        for j in range(wide):
            seen = padded[:, i : i + x.shape[1], j : j + x.shape[2]]
            out += np.einsum("oc,cft->oft", weight[:, :, i, j], seen)
    return out


def conv_up(w: Weights, x: A, stride: int) -> A:
    """Transposed convolution of (C, T): every input step lays the kernel down, `stride` apart."""
    weight, bias = w["weight"], w["bias"]  # (C in, C out, taps)
    taps = weight.shape[2]
    out = np.repeat(bias[:, None], (x.shape[1] - 1) * stride + taps, 1)
    for t in range(x.shape[1]):
        out[:, t * stride : t * stride + taps] += np.einsum("i,iok->ok", x[:, t], weight)
    return out


def by_column(w: Weights, x: A, apply) -> A:
    """A convolution along frequency, (C, F, T) column by column; the kernel is one frame wide."""
    flat = Weights({"weight": w["weight"][..., 0], "bias": w["bias"]})
    return np.stack([apply(flat, x[:, :, t]) for t in range(x.shape[2])], 2)


# The U-Net -------------------------------------------------------------------------------------------------


def lstm_pass(w: Weights, x: A, layer: int, backwards: bool) -> A:
    """One direction of one layer over (T, C): gates in the order input, forget, cell, output."""
    tail = f"_l{layer}" + ("_reverse" if backwards else "")
    w_in, w_own = w["weight_ih" + tail], w["weight_hh" + tail]
    bias = w["bias_ih" + tail] + w["bias_hh" + tail]
    size = w_own.shape[1]
    h, c, out = np.zeros(size), np.zeros(size), np.zeros((len(x), size))
    for t in reversed(range(len(x))) if backwards else range(len(x)):
        i, f, g, o = np.split(w_in @ x[t] + w_own @ h + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out[t] = h
    return out


def recurrence(w: Weights, x: A) -> A:
    """Two bidirectional layers over chunks of 200 steps, 100 apart; every step from the chunk it is deepest in."""

    def run(part: A) -> A:
        y = part.T
        for layer in range(2):
            y = np.concatenate([lstm_pass(w.at("lstm"), y, layer, back) for back in (False, True)], 1)
        return linear(w.at("linear"), y).T

    steps = x.shape[1]
    if steps <= 200:
        return x + run(x)
    out = np.zeros_like(x)
    for chunk in range(math.ceil(steps / 100)):
        part = np.zeros((x.shape[0], 200))
        seen = x[:, chunk * 100 : chunk * 100 + 200]
        part[:, : seen.shape[1]] = seen
        y = run(part)
        for k in range(200):
            t = chunk * 100 + k
            if t < steps and (50 <= k < 150 or (chunk == 0 and k < 50)):
                out[:, t] = y[:, k]
    return x + out


def local_attention(w: Weights, x: A) -> A:
    """Four heads; every slope takes off strength · slope · distance; nothing attends to itself."""
    channels, steps = x.shape
    size = channels // 4
    query, key, content = (conv(w.at(n), x) for n in ("query", "key", "content"))
    strength = sigmoid(conv(w.at("query_decay"), x)) / 2  # (4 heads · 4 slopes, T)
    out = np.zeros_like(x)
    for h in range(4):
        rows = slice(h * size, (h + 1) * size)
        for s in range(steps):
            scores = np.empty(steps)
            for t in range(steps):
                decay = sum((f + 1) * strength[4 * h + f, s] for f in range(4)) * abs(s - t) / math.sqrt(4)
                scores[t] = query[rows, s] @ key[rows, t] / math.sqrt(size) - decay
            scores[s] = -100
            out[rows, s] = content[rows] @ softmax(scores, 0)
    return x + conv(w.at("proj"), out)


def dilated(w: Weights, x: A, recurrent: bool) -> A:
    for depth in range(2):
        parts = w.at(f"layers.{depth}")
        y = conv(parts.at("0"), x, pad=2**depth, dilation=2**depth)
        y = gelu(group_norm(parts.at("1"), y, 1))
        if recurrent:
            y = local_attention(parts.at("4"), recurrence(parts.at("3"), y))
        last = 5 if recurrent else 3
        y = conv(parts.at(str(last)), y)
        y = glu(group_norm(parts.at(str(last + 1)), y, 1))
        x = x + parts[f"{last + 3}.scale"][:, None] * y
    return x


def encode_rows(w: Weights, x: A, index: int, inject: A | None) -> A:
    """A layer of the spectrogram branch, (C, F, T); the fifth has norms, no padding, and the waveform injected."""
    top = index == 4
    x = by_column(w.at("conv"), x, lambda v, column: conv(v, column, 4, 0 if top else 2))
    if inject is not None:
        x = x + inject[:, None, :]
    x = gelu(group_norm(w.at("norm1"), x, 4) if top else x)
    x = np.stack([dilated(w.at("dconv"), x[:, f], top) for f in range(x.shape[1])], 1)
    flat = Weights({"weight": w["rewrite.weight"][:, :, 0], "bias": w["rewrite.bias"]})
    x = np.stack([conv(flat, x[:, f]) for f in range(x.shape[1])], 1)
    return glu(group_norm(w.at("norm2"), x, 4) if top else x)


def encode_wave(w: Weights, x: A, index: int) -> A:
    x = np.pad(x, ((0, 0), (0, -x.shape[1] % 4)))
    y = conv(w.at("conv"), x, 4, 2)
    if index == 4:
        return y
    return glu(conv(w.at("rewrite"), dilated(w.at("dconv"), gelu(y), False)))


def encode_shared(w: Weights, x: A) -> A:
    x = np.pad(x, ((0, 0), (0, x.shape[1] % 2)))
    y = gelu(group_norm(w.at("norm1"), conv(w.at("conv"), x, 2, 1), 4))
    return glu(group_norm(w.at("norm2"), conv(w.at("rewrite"), dilated(w.at("dconv"), y, True)), 4))


def decode_shared(w: Weights, x: A, length: int) -> A:
    y = glu(group_norm(w.at("norm1"), conv(w.at("rewrite"), x, pad=1), 4))
    return gelu(group_norm(w.at("norm2"), conv_up(w.at("conv_tr"), y, 2), 4)[:, 1 : 1 + length])


def decode_rows(w: Weights, x: A, skip: A, index: int) -> tuple[A, A]:
    """The layer that mirrors `encode_rows`: what it gives, and what its transposed convolution was given."""
    top = index == 4
    y = conv_both(w.at("rewrite"), x + skip)
    y = glu(group_norm(w.at("norm1"), y, 4) if top else y)
    z = by_column(w.at("conv_tr"), y, lambda v, column: conv_up(v, column, 4))
    z = group_norm(w.at("norm2"), z, 4) if top else z[:, 2:-2]
    return (gelu(z) if index else z), y


def decode_wave(w: Weights, x: A, skip: A | None, index: int, length: int) -> A:
    if index == 4:
        z = group_norm(w.at("norm2"), conv_up(w.at("conv_tr"), x, 4), 4)
    else:
        assert skip is not None
        z = conv_up(w.at("conv_tr"), glu(conv(w.at("rewrite"), x + skip, pad=1)), 4)
    z = z[:, 2 : 2 + length]
    return gelu(z) if index else z


def unet(w: Weights, cfg, spectrogram: A, sound: A, seen) -> tuple[A, A | None, A]:
    """Mask or logits (masks, 2048, T), the waveform residual where there is one, the transformer's sequence."""
    x = spectrogram[None]
    if cfg.spectrogram == "log":
        x = (np.log(x + 0.01) + 1) / 2.5
    mean, spread = sound.mean(), sound.std(ddof=1)
    wave = ((sound - mean) / (1e-5 + spread))[None]
    frames = x.shape[2]
    rows, waves, lengths = [], [], []
    for i in range(5):
        lengths.append(wave.shape[1])
        wave = encode_wave(w.at(f"wave_encoder.{i}"), wave, i)
        waves.append(wave)
        x = encode_rows(w.at(f"encoder.{i}"), x, i, wave[:, :frames] if i == 4 else None)
        if i == 0:
            x = x + 0.2 * 10 * w["rows.embedding.weight"].T[:, :, None]
        rows.append(x)
    latent, hidden = highlight(w.at("transformer"), cfg, encode_shared(w.at("shared_encoder"), x[:, 0]), seen)
    y = decode_shared(w.at("shared_decoder"), latent, frames)[:, None]
    back = None
    for k, i in enumerate(reversed(range(5))):
        y, before = decode_rows(w.at(f"decoder.{k}"), y, rows[i], i)
        if cfg.kind == "visah":
            source = before[:, 0] if back is None else back
            back = decode_wave(w.at(f"wave_decoder.{k}"), source, None if k == 0 else waves[i], i, lengths[i])
    return y, None if back is None else back[0] * spread + mean, hidden


# The latent transformer -------------------------------------------------------------------------------------


def positions(steps: A, width: int) -> A:
    """Sines, then cosines, of times counted in latent steps; rates fall from 1 to 1/10000."""
    half = width // 2
    rates = np.array([10_000.0 ** (-i / half) for i in range(half)])
    return np.concatenate([np.sin(np.outer(steps, rates)), np.cos(np.outer(steps, rates))], 1)


def attend(query: A, key: A, value: A, heads: int, valid: A | None) -> A:
    """Softmax attention head by head; (N, width) over (M, width) of which some are `valid`."""
    size = query.shape[1] // heads
    out = np.zeros_like(query)
    for h in range(heads):
        own = slice(h * size, (h + 1) * size)
        scores = query[:, own] @ key[:, own].T / math.sqrt(size)
        if valid is not None:
            scores = np.where(valid[None], scores, -np.inf)
        out[:, own] = softmax(scores, 1) @ value[:, own]
    return out


def context_layer(w: Weights, x: A, where: A, heads: int, valid: A | None) -> A:
    h = layer_norm(w.at("norm1"), x)
    maps = np.split(w["attention.in_proj_weight"], 3)
    shifts = np.split(w["attention.in_proj_bias"], 3)
    q, k, v = (given @ m.T + s for given, m, s in zip((h + where, h + where, h), maps, shifts, strict=True))
    x = x + linear(w.at("attention.out_proj"), attend(q, k, v, heads, valid))
    return x + linear(w.at("down"), gelu(linear(w.at("up"), layer_norm(w.at("norm2"), x))))


def plain_attention(w: Weights, q: A, k: A, v: A, heads: int, valid: A | None) -> A:
    """Queries, keys and values without biases."""
    mapped = [x @ w[f"{name}.weight"].T for name, x in (("query", q), ("key", k), ("value", v))]
    return linear(w.at("out"), attend(*mapped, heads, valid))


def highlight(w: Weights, cfg, latent: A, seen) -> tuple[A, A]:
    """Latent sound (C, N) with context (features (M, C'), times (M,), valid (M,)): the same, and (N, width)."""
    x = linear(
        Weights({"weight": w["proj_in.weight"][..., 0], "bias": w["proj_in.bias"]}),
        group_norm(w.at("norm"), latent, 32, 1e-6).T,
    )
    where = positions(np.arange(len(x)) + 0.5, cfg.width)
    context = valid = c_where = None
    if cfg.context_dim:
        context, times, valid = seen
        context, c_where = linear(w.at("context_in"), context), positions(times / STEP_S, cfg.width)
        if cfg.kind == "product":  # a token that is always there
            context = np.concatenate([w["null"][0], context])
            c_where = np.concatenate([np.zeros((1, cfg.width)), c_where])
            valid = np.concatenate([[True], valid])
        elif not valid.any():
            valid = np.ones_like(valid)
        for i in range(cfg.encoder_layers):
            context = context_layer(w.at(f"context_layers.{i}"), context, c_where, cfg.heads, valid)
    for i in range(cfg.decoder_layers):
        layer = w.at(f"layers.{i}")
        h = layer_norm(layer.at("norm1"), x)
        x = x + plain_attention(layer.at("self_attention"), h + where, h + where, h, cfg.heads, None)
        h = layer_norm(layer.at("norm2"), x)
        if context is None:
            x = x + plain_attention(layer.at("cross_attention"), h + where, h + where, h, cfg.heads, None)
        else:
            x = x + plain_attention(
                layer.at("cross_attention"), h + where, context + c_where, context, cfg.heads, valid
            )
        value, gate = np.split(linear(layer.at("up"), layer_norm(layer.at("norm3"), x)), 2, 1)
        x = x + linear(layer.at("down"), value * gelu(gate))
    out = x @ w["proj_out.weight"][..., 0].T + w["proj_out.bias"]
    return latent + out.T, x


# The trunk over bands ---------------------------------------------------------------------------------------


def band_weights(w: Weights, band: int) -> tuple[A, A]:
    """A band's own matrix (in, out) and bias; bands of one width are kept together."""
    widths = list(dict.fromkeys(BANDS))
    group = widths.index(BANDS[band])
    member = band - BANDS.index(BANDS[band])
    return w[f"weights.{group}"][member], w[f"biases.{group}"][member]


def band_block(w: Weights, x: A) -> A:
    """(N, K, D): each value hears its own kind 5 steps and 1 band around; then its vector; then all bands."""
    steps, bands, width = x.shape
    kernel, bias = w["near.weight"][:, 0], w["near.bias"]  # (D, 11, 3)
    near = np.zeros_like(x) + bias
    for n in range(steps):
        for k in range(bands):
            for i in range(11):
                for j in range(3):
                    at, row = n + i - 5, k + j - 1
                    if 0 <= at < steps and 0 <= row < bands:
                        near[n, k] += kernel[:, i, j] * x[at, row]
    x = x + linear(w.at("down"), gelu(linear(w.at("up"), layer_norm(w.at("norm"), near))))
    y = layer_norm(w.at("norm_bands"), x)
    out = x.copy()
    for d in range(width):
        out[:, :, d] += linear(w.at("bands_down"), gelu(linear(w.at("bands_up"), y[:, :, d])))
    return out


def band_trunk(w: Weights, cfg, spectrogram: A, seen) -> tuple[A, A]:
    """Logits (3, 2048, T) and the transformer's sequence (N, width)."""
    frames = spectrogram.shape[1]
    steps = (frames + 1) // 2
    x = (np.log(spectrogram + 0.01) + 1) / 2.5
    x = np.pad(x, ((0, 0), (0, 2 * steps - frames)))
    edges = np.concatenate([[0], np.cumsum(BANDS)])
    v = np.zeros((steps, len(BANDS), cfg.band_width))
    for k in range(len(BANDS)):
        weight, bias = band_weights(w.at("read"), k)
        for n in range(steps):
            pair = x[edges[k] : edges[k + 1], 2 * n : 2 * n + 2].reshape(
                -1
            )  # both frames of a bin, then the next
            v[n, k] = pair @ weight + bias + w["place"][k]
    for i in range(w.count("early")):
        v = band_block(w.at(f"early.{i}"), v)
    whole = linear(w.at("whole_in"), layer_norm(w.at("norm_whole"), v).reshape(steps, -1))
    latent, hidden = highlight(w.at("transformer"), cfg, whole.T, seen)
    v = v + linear(w.at("whole_out"), latent.T).reshape(v.shape)
    for i in range(w.count("late")):
        v = band_block(w.at(f"late.{i}"), v)
    v = glu(linear(w.at("answer"), layer_norm(w.at("norm_out"), v)), 2)
    out = np.zeros((3, 2048, 2 * steps))
    for k in range(len(BANDS)):
        weight, bias = band_weights(w.at("write"), k)
        for n in range(steps):
            answer = (v[n, k] @ weight + bias).reshape(3, BANDS[k], 2)
            out[:, edges[k] : edges[k + 1], 2 * n : 2 * n + 2] = answer
    return out[:, :, :frames], hidden


# The gain head ----------------------------------------------------------------------------------------------


def paired_mean(power: A, steps: int) -> A:
    """(rows, T) to (rows, N): the mean of the two frames of every step, silence past the end."""
    padded = np.pad(power, ((0, 0), (0, 2 * steps - power.shape[1])))
    return (padded[:, 0::2] + padded[:, 1::2]) / 2


def look(w: Weights, cfg, steps: int, seen) -> A:
    """What is seen at every step: pictures weighed by nearness, a tenth of a second away counting 1/e."""
    features, times, valid = seen
    out = np.zeros((steps, cfg.width))
    if not valid.any():
        return out
    hidden = gelu(linear(w.at("seen_in.1"), layer_norm(w.at("seen_in.0"), features)))
    said = linear(w.at("seen_in.3"), hidden)
    for n in range(steps):
        nearness = np.exp(-np.abs((n + 0.5) * STEP_S - times[valid]) / 0.1)
        out[n] = (nearness / nearness.sum()) @ said[valid]
    return out


def gains(
    w: Weights, cfg, hidden: A, masks: A, spectrogram: A, seen, told=None
) -> tuple[A, A | None, float | None]:
    """Curves (3, T) in dB; for a head of levels also what it believes: levels (3, N) and the odds of a change.

    `told`: (power (18, T), unsure (3,), whether the masked stems are heard as well) of known stems.
    """
    steps = len(hidden)
    parts = [spectrogram, *(m * spectrogram for m in masks)]
    levels = cfg.gain_head == "levels"
    edges = (
        [0, *(round(hz * 4096 / 44100) for hz in (200, 500, 1500, 4000, 9000)), 2048] if levels else [0, 2048]
    )
    rows = [(p[a:b] ** 2).sum(0) / 2048 for p in parts for a, b in pairwise(edges)]
    if levels and told is not None:
        rows[6:] = [told[2] * own + known for own, known in zip(rows[6:], told[0], strict=True)]
    power = paired_mean(np.stack(rows), steps)
    whole = np.repeat(power.mean(1, keepdims=True), steps, 1)
    loud = np.log10(np.concatenate([power, whole]) + 1e-5)
    x = layer_norm(w.at("norm_in"), hidden) + linear(w.at("levels_in"), loud.T)
    where = positions(np.arange(steps) + 0.5, cfg.width)
    believed = odds = None
    first = 0
    if levels:
        first = 1
        x = context_layer(w.at("layers.0"), x, where, cfg.heads, None)
        stems = power.reshape(4, 6, steps).sum(1)[1:]
        correction = 3 * np.tanh(linear(w.at("true_levels"), x).T / 3)
        for stem in range(3):
            correction[stem] *= 1.0 if told is None else told[1][stem]
        believed = np.log10(stems + 1e-5) + correction
        linear_power = 10**believed
        mean = np.repeat(np.log10(linear_power.mean(1, keepdims=True) + 1e-5), steps, 1)
        share = believed - np.log10(linear_power.sum(0) + 1e-5)
        x = x + linear(w.at("true_levels_in"), np.concatenate([believed, mean, share]).T)
        if cfg.context_dim:
            x = x + look(w, cfg, steps, seen)
    for i in range(first, cfg.gain_layers):
        x = context_layer(w.at(f"layers.{i}"), x, where, cfg.heads, None)
    raw = linear(w.at("out"), layer_norm(w.at("norm_out"), x)).T
    curve = cfg.gain_bound_db * np.tanh(raw / cfg.gain_bound_db)
    if levels:
        odds = float(linear(w.at("touched"), x.mean(0))[0])
        curve = curve * sigmoid(np.array(odds))
    # A step's value stands at its middle, between its two frames: frame centres lie a quarter step to either side.
    places = (np.arange(spectrogram.shape[1]) + 0.5) / 2 - 0.5
    drawn = np.stack([np.interp(places, np.arange(steps), row) for row in curve])
    return drawn, believed, odds


def network(state: Mapping[str, A], cfg, spectrogram: A, sound: A, seen) -> tuple[A, A]:
    """One clip through the network: mask and residual for "visah", masks and gains in dB for "product"."""
    w = Weights(state)
    if cfg.trunk == "bands":
        logits, hidden = band_trunk(w.at("trunk"), cfg, spectrogram, seen)
    else:
        logits, residual, hidden = unet(w.at("trunk"), cfg, spectrogram, sound, seen)
        if residual is not None:
            return logits, residual
    masks = softmax(logits, 0)
    return masks, gains(w.at("gain"), cfg, hidden, masks, spectrogram, seen)[0]
