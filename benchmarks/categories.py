"""What tracks hold, by listening alone: fits the rule of `engine.highlight.ear`, and measures it on unseen packages.

    python benchmarks/categories.py heard CORPUS SPLIT --to FILE.npz   what the network and the signs say of laid tracks
    python benchmarks/categories.py fit TRAIN.npz VALIDATION.npz       writes engine/highlight/ear.json
    python benchmarks/categories.py measure TEST.npz                   accuracy and every confusion, as Markdown

A track is twenty seconds or more of one package's recordings of one kind: trimmed, at random levels, with pauses,
some coloured, in a room, or over a noise floor; a mix is two or three such tracks at once, within 12 dB of each other.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.signal import butter, fftconvolve, sosfilt
from sightmix.engine.edit.categories import MARRIED
from sightmix.engine.highlight.backends import open_network
from sightmix.engine.highlight.ear import (
    KINDS,
    WINDOWS,
    Rule,
    excerpts,
    judged,
    shipped_rule,
    window_signs,
)
from sightmix.engine.highlight.signs import NAMES
from sightmix.engine.passage import Sound
from sightmix.engine.progress import Progress
from sightmix.engine.training.material.library import Corpus, Item
from sightmix.engine.version import SHIPPED_MODEL
from sightmix.engine.weights.store import load_card

Array = NDArray[np.float32]
RATE = 44_100
RULE = Path(__file__).resolve().parents[1] / "engine" / "highlight" / "ear.json"
STEMS = ("speech", "music", "effects")
SHORTEST = 20.0  # seconds of recordings that a package must have to make a track
APART_DB = 12.0  # the most that parts of a mix lie apart
SMALL = 2e-3  # how much large weights cost
UNSEEN = 3.0  # how much more a window of a package counts that the network has not learned from
FOLDS = 6
PAUSES = {"speech": (0.15, 1.5), "music": (0.0, 2.0), "effects": (0.0, 2.0)}  # seconds between recordings


@dataclass(frozen=True)
class Track:
    """A laid track: what it holds, of which packages, its clips in seconds, its sound."""

    kind: str
    packages: tuple[str, ...]
    clips: tuple[tuple[float, float], ...]
    sound: Array


def tracks(corpus: Corpus, split: str, each: int, mixes: int, seed: int) -> Iterator[Track]:
    """`each` tracks of every package and kind, and `mixes` of several."""
    rng = np.random.default_rng(seed)
    stock: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in corpus.items(split=split):
        stock[item.kind, item.package].append(item)
    enough = {key: items for key, items in stock.items() if sum(i.seconds for i in items) >= SHORTEST}
    for (stem, package), items in sorted(enough.items()):
        for _ in range(each):
            clips, sound = _laid(corpus, items, stem, float(rng.uniform(20, 45)), rng)
            yield Track(KINDS[STEMS.index(stem)], (package,), clips, _finished(_treated(sound, rng), rng))
    for _ in range(mixes):
        yield _mix(corpus, enough, rng)


def _mix(corpus: Corpus, stock: dict[tuple[str, str], list[Item]], rng: np.random.Generator) -> Track:
    count = 2 if rng.random() < 0.7 else 3
    stems = sorted(rng.permutation(3)[:count])
    seconds = float(rng.uniform(20, 45))
    parts, packages = [], []
    for stem in (STEMS[index] for index in stems):
        keys = sorted(key for key in stock if key[0] == stem)
        key = keys[rng.integers(len(keys))]
        _, sound = _laid(corpus, stock[key], stem, seconds, rng, dense=True)
        sound = _treated(sound, rng)
        parts.append(sound / _loud(sound) * 10 ** (rng.uniform(-APART_DB / 2, APART_DB / 2) / 20))
        packages.append(f"{stem} {key[1]}")
    size = min(part.size for part in parts)
    total = np.sum([part[:size] for part in parts], axis=0)
    return Track(MARRIED, tuple(packages), ((0.0, size / RATE),), _finished(total, rng))


def _laid(
    corpus: Corpus,
    items: list[Item],
    stem: str,
    seconds: float,
    rng: np.random.Generator,
    dense: bool = False,
) -> tuple[tuple[tuple[float, float], ...], Array]:
    """Recordings one after the other with pauses between, and where each lies in seconds."""
    order = list(rng.permutation(len(items)))
    parts: list[Array] = []
    clips = []
    at = 0
    while at < seconds * RATE:
        item = items[order.pop() if order else rng.integers(len(items))]
        most = rng.uniform(8, 40) if stem == "music" or item.seconds > 20 else item.seconds
        length = min(item.samples, int(most * RATE))
        first = int(rng.integers(0, item.samples - length + 1))
        if stem != "music" and item.seconds > 1 and rng.random() < 0.3:
            length = int(length * rng.uniform(0.6, 1))
        sound = corpus.audio(item, first, length)
        level = rng.uniform(-4, 4) - (item.rms_db if stem == "speech" else 0.5 * item.rms_db)
        parts.append(_edges(sound) * np.float32(10 ** (level / 20)))
        low, high = PAUSES[stem]
        pause = rng.uniform(low, min(high, low + 0.4) if dense and stem == "speech" else high)
        if stem == "effects":  # every density from wall to wall to sparse
            pause *= 2 ** rng.uniform(-3, 0 if dense else 1)
        clips.append((at / RATE, (at + length + pause * RATE) / RATE))
        parts.append(np.zeros(int(pause * RATE), np.float32))
        at += length + parts[-1].size
    return tuple(clips), np.concatenate(parts)


def _edges(sound: Array) -> Array:
    out = sound.copy()
    fade = min(220, out.size // 4)
    if fade:
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        out[:fade] *= ramp
        out[-fade:] *= ramp[::-1]
    return out


def _loud(sound: Array) -> float:
    """The root mean square of the blocks of 0.1 s that lie less than 20 dB below the loud ones."""
    power = np.square(sound[: sound.size // 4410 * 4410].reshape(-1, 4410)).mean(axis=1)
    return float(np.sqrt(power[power >= np.percentile(power, 95) / 100].mean()))


def _treated(sound: Array, rng: np.random.Generator) -> Array:
    """Colour, room and noise floor, each on some."""
    if rng.random() < 0.35:
        low = butter(1, rng.uniform(80, 400), "high", fs=RATE, output="sos")
        sound = sound + np.float32(rng.uniform(-0.8, 0.8)) * sosfilt(low, sound).astype(np.float32)
    if rng.random() < 0.35:
        sound = sosfilt(butter(4, rng.uniform(5000, 14000), fs=RATE, output="sos"), sound).astype(np.float32)
    if rng.random() < 0.3:
        time = np.arange(int(0.6 * RATE)) / RATE
        room = rng.standard_normal(time.size) * np.exp(-6.9 * time / rng.uniform(0.15, 0.7))
        wet = fftconvolve(sound, room)[: sound.size].astype(np.float32)
        sound = sound + np.float32(rng.uniform(0.1, 0.6)) * (wet / _loud(wet) * _loud(sound)).astype(
            np.float32
        )
    if rng.random() < 0.4:
        noise = sosfilt(
            butter(1, rng.uniform(100, 8000), fs=RATE, output="sos"), rng.standard_normal(sound.size)
        )
        level = _loud(sound) * 10 ** (rng.uniform(-55, -22) / 20)
        sound = sound + (noise / np.sqrt(np.mean(noise**2)) * level).astype(np.float32)
    return np.asarray(sound, np.float32)


def _finished(sound: Array, rng: np.random.Generator) -> Array:
    level = 10 ** (rng.uniform(-38, -14) / 20) / _loud(sound)
    return np.asarray(np.clip(sound * level, -1, 1), np.float32)


def hear(corpus: Path, split: str, each: int, mixes: int, seed: int, out: Path) -> None:
    """Listens to laid tracks as to any other and keeps the signs of their windows."""
    network = open_network(load_card(SHIPPED_MODEL), "cpu", "onnx")
    kinds, packages, owners, values = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "track.wav"
        for number, track in enumerate(tracks(Corpus(corpus), split, each, mixes, seed)):
            soundfile.write(path, track.sound, RATE, "PCM_24")
            for window in excerpts(_sounds(path, track), WINDOWS, Progress()):
                owners.append(number)
                values.append(window_signs(window, network))
            kinds.append(track.kind)
            packages.append(" + ".join(track.packages))
            path.unlink()
            print(number, track.kind, packages[-1], flush=True)
            if number % 25 == 24:
                np.savez(out, kinds=kinds, packages=packages, owners=owners, signs=values)
    np.savez(out, kinds=kinds, packages=packages, owners=owners, signs=values)


def _sounds(path: Path, track: Track) -> list[Sound]:
    """The track's clips, without the pauses' last part where the next begins."""
    last = track.sound.size / RATE
    spans = [(start, min(end, last)) for start, end in track.clips if start < last]
    return [Sound(path, _exact(a), _exact(b) - _exact(a)) for a, b in spans]


def _exact(seconds: float) -> Fraction:
    return Fraction(round(seconds * RATE), RATE)


@dataclass(frozen=True)
class Heard:
    """Windows heard of tracks: signs (windows, signs), kinds and packages of tracks, and whose each window is."""

    signs: NDArray[np.float64]
    owners: NDArray[np.intp]
    kinds: NDArray[np.intp]
    packages: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Heard:
        data = np.load(path)
        kinds = np.array([KINDS.index(kind) for kind in data["kinds"]])
        return cls(data["signs"], data["owners"], kinds, tuple(str(name) for name in data["packages"]))

    def chosen(self, tracks: NDArray[np.intp]) -> Heard:
        """Some of the tracks, by their numbers."""
        mine = np.isin(self.owners, tracks)
        owners = np.searchsorted(tracks, self.owners[mine])
        packages = tuple(self.packages[track] for track in tracks)
        return Heard(self.signs[mine], owners, self.kinds[tracks], packages)

    def and_(self, other: Heard) -> Heard:
        """Both, the others' tracks behind."""
        return Heard(
            np.concatenate([self.signs, other.signs]),
            np.concatenate([self.owners, other.owners + len(self.kinds)]),
            np.concatenate([self.kinds, other.kinds]),
            self.packages + other.packages,
        )


def weights_of(heard: Heard) -> NDArray[np.float64]:
    """A weight per window: every kind counts the same, and of a kind every package."""
    weights = np.zeros(len(heard.owners))
    kinds, packages = heard.kinds[heard.owners], np.array(heard.packages)[heard.owners]
    for kind in range(len(KINDS)):
        names = set(packages[kinds == kind])
        for name in names:
            mine = (kinds == kind) & (packages == name)
            weights[mine] = 1 / mine.sum() / len(names)
    return weights


def fitted(heard: Heard, weights: NDArray[np.float64], trust: float = 1.0) -> Rule:
    """The logistic rule of least loss, its weights held small."""
    middle = np.average(heard.signs, axis=0, weights=weights)
    spread = np.sqrt(np.average((heard.signs - middle) ** 2, axis=0, weights=weights)) + 1e-6
    z = np.clip((heard.signs - middle) / spread, -4, 4)
    count, size = len(KINDS), z.shape[1]
    right = np.eye(count)[heard.kinds[heard.owners]]
    share = weights / weights.sum()

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        rows, bias = values[: count * size].reshape(count, size), values[count * size :]
        logits = z @ rows.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        log = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        slope = share[:, None] * (np.exp(log) - right)
        down = np.concatenate([(slope.T @ z + 2 * SMALL * rows).ravel(), slope.sum(axis=0)])
        return float(-(share[:, None] * right * log).sum() + SMALL * np.square(rows).sum()), down

    start = np.zeros(count * (size + 1))
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    return Rule(middle, spread, best[: count * size].reshape(count, size), best[count * size :], trust)


def fit(train: Path, validation: Path) -> None:
    """Fits the rule to both splits, and its trust to validation packages that a fit has not heard."""
    old, new = Heard.read(train), Heard.read(validation)
    both = old.and_(new)
    # The network has learned from the one and not from the other, so its masks are truer there.
    extra = np.where(both.owners < len(old.kinds), 1.0, UNSEEN)
    packages = [{name.split(" ")[-1] for name in named.split(" + ")} for named in new.packages]
    names = sorted(set().union(*packages))
    log: list[NDArray[np.float64]] = []
    found: list[int] = []
    kinds: list[int] = []
    for fold in range(FOLDS):
        unheard = set(names[fold::FOLDS])
        out = np.array([t for t, mine in enumerate(packages) if mine & unheard])
        kept = np.setdiff1d(np.arange(len(both.kinds)), out + len(old.kinds))
        part = both.chosen(kept)
        rule = fitted(part, weights_of(part) * extra[np.isin(both.owners, kept)])
        left = new.chosen(out)
        parts = [left.signs[left.owners == t] for t in range(len(left.kinds))]
        log += [rule.log_odds(part).mean(axis=0) for part in parts]
        found += [int(rule.judge(part).argmax()) for part in parts]
        kinds += list(left.kinds)
    trusts = np.geomspace(0.3, 1, 40)  # never surer than the fit
    losses = [
        np.mean([_loss(trust * row, kind) for row, kind in zip(log, kinds, strict=True)]) for trust in trusts
    ]
    trust = float(trusts[int(np.argmin(losses))])
    rule = fitted(both, weights_of(both) * extra, trust)
    write_rule(
        rule, f"{len(old.kinds)} tracks of the training and {len(new.kinds)} of the validation packages"
    )
    right = np.mean(np.array(found) == np.array(kinds))
    print(f"left-out validation packages: {right:.1%} of {len(kinds)} answers, trust {trust:.2f}")


def _loss(logits: NDArray[np.float64], kind: int) -> float:
    return float(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[kind])


def write_rule(rule: Rule, source: str) -> None:
    """Writes the constants as the engine reads them."""
    data = {
        "about": f"Fitted by benchmarks/categories.py to {source}, with the model {SHIPPED_MODEL}.",
        "kinds": KINDS,
        "signs": NAMES,
        "middle": [float(f"{value:.5g}") for value in rule.middle],
        "spread": [float(f"{value:.5g}") for value in rule.spread],
        "weights": [[round(float(value), 4) for value in row] for row in rule.weights],
        "bias": [round(float(value), 4) for value in rule.bias],
        "trust": round(rule.trust, 3),
    }
    text = json.dumps(data, indent=1, ensure_ascii=False)
    RULE.write_text(re.sub(r"\n  +(?=[-\d])|\n  (?=\])", " ", text) + "\n", encoding="utf-8")


def measure(test: Path) -> None:
    """Accuracy of the shipped rule over tracks, by kind, and every confusion."""
    heard = Heard.read(test)
    said = [shipped_rule().judge(heard.signs[heard.owners == t]) for t in range(len(heard.kinds))]
    found = [judged(row, 30.0) for row in said]
    print("| holds | tracks | right | doubtful | said otherwise |")
    print("|---|---|---|---|---|")
    for number, kind in enumerate([*KINDS, ""]):
        mine = [t for t, k in enumerate(heard.kinds) if not kind or k == number]
        right = sum(found[t].kind == KINDS[heard.kinds[t]] for t in mine)
        doubtful = sum(not found[t].certain for t in mine)
        wrong = Counter(found[t].kind for t in mine if found[t].kind != KINDS[heard.kinds[t]])
        told = ", ".join(f"{name} {count}" for name, count in wrong.items()) or "–"
        print(
            f"| {kind or 'all'} | {len(mine)} | {right} ({right / max(1, len(mine)):.1%}) | {doubtful} | {told} |"
        )
    for t, category in enumerate(found):
        kind = KINDS[heard.kinds[t]]
        if category.kind != kind:
            doubt = "" if category.certain else ", doubtful"
            print(
                f"- {kind} of {heard.packages[t]} heard as {category.kind} ({category.confidence:.2f}{doubt})"
            )
    certain = [c.kind == KINDS[heard.kinds[t]] for t, c in enumerate(found) if c.certain]
    print(
        f"\nOf {len(certain)} tracks said with certainty {sum(certain)} are right ({np.mean(certain):.1%})."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    heard = commands.add_parser("heard")
    heard.add_argument("corpus", type=Path)
    heard.add_argument("split")
    heard.add_argument("--to", type=Path, required=True)
    heard.add_argument("--each", type=int, default=4)
    heard.add_argument("--mixes", type=int, default=40)
    heard.add_argument("--seed", type=int, default=1)
    fitting = commands.add_parser("fit")
    fitting.add_argument("train", type=Path)
    fitting.add_argument("validation", type=Path)
    measuring = commands.add_parser("measure")
    measuring.add_argument("test", type=Path)
    args = parser.parse_args()
    if args.command == "heard":
        hear(args.corpus, args.split, args.each, args.mixes, args.seed, args.to)
    elif args.command == "fit":
        fit(args.train, args.validation)
    else:
        measure(args.test)


if __name__ == "__main__":
    main()
