"""How scenes are spread, against what the plain generator in NumPy that they replace gave on the same invented stems.

Recorded are nine quantiles of every figure over 600 scenes, and shares of what was chosen. Other scenes of the same
kind keep within Kolmogorov and Smirnov's distance of two samples at a level of one in a thousand: 1.95·√(1/n + 1/m).
Fewer new scenes make it wider: what all kinds of scenes have in common is found in all of them together.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented_scenes import invented_batch
from sightmix.engine.roles import STEMS
from sightmix.engine.training.scenes import levels, settings
from sightmix.engine.training.scenes.scene import Scene, SceneBatch

KOLMOGOROV, NORMAL = 1.949, 3.291  # both at a level of one in a thousand
EACH, HAND = 32, 8
RECORDED = json.loads((Path(__file__).parents[1] / "data" / "scenes" / "numpy_mixing.json").read_text())
CONFIGS = {
    "product": settings.PRODUCT,
    "random": settings.RANDOM,
    "composed": settings.COMPOSED,
    "ducked": replace(settings.PRODUCT, flat=0.0, untouched=0.0, picture=1.0),
    "mixed": replace(settings.PRODUCT, random=0.3, composed=0.4, picture=0.8, blind=0.2),
}
# A picture of "nothing that sounds" is none of an effect's: of the pictures that there were, some showed one.
INTENDED = {"shown.event", "shown.other"}


@dataclass(frozen=True)
class Drawn:
    """What scenes of one kind gave: figures by name, and how many of `count` scenes had what."""

    count: int
    figures: dict[str, np.ndarray]
    rules: dict[str, list[float]]
    shares: Counter[str]


def figures_of(batch: SceneBatch) -> Iterator[tuple[str, np.ndarray]]:
    """Loudness, activity and gains of the stems that sound; loudness and peak guard of the mixes."""
    muddy, good = (
        levels.loudness(batch.stems),
        levels.loudness(levels.apply_gain(batch.stems, batch.gains_db)),
    )
    active = batch.active.float()
    gain = (batch.gains_db * active).sum(-1) / active.sum(-1).clamp_min(1)
    span = batch.gains_db.amax(-1) - batch.gains_db.amin(-1)
    for k, stem in enumerate(STEMS):
        sounds = muddy[:, k].isfinite()
        for name, values in (
            ("muddy_lufs", muddy),
            ("good_lufs", good),
            ("active", active.mean(-1)),
            ("gain_mean", gain),
            ("gain_span", span),
        ):
            yield f"{name}.{stem}", values[sounds, k].numpy()
    yield "mix_lufs", levels.loudness(batch.mix()).numpy()
    yield "guard", batch.notes.guard_db.numpy()


def rules_of(scene: Scene) -> Iterator[tuple[str, float]]:
    """What single rules gave: a mixer's habits, what policies do to the loudest stem and others."""
    record: dict[str, Any] = scene.record
    target, spoilt = record["target"], record["degradation"]
    for habit, value in target.get("style", {}).items():
        yield f"style.{habit}", value
    for k, stem in enumerate(STEMS):
        if record["present"][k]:
            which = "loudest" if spoilt["loudest"] == stem else "other"
            yield f"change.{which}.{spoilt['policy']}", spoilt["changes_db"][k]


def choices_of(scene: Scene) -> Iterator[str]:
    """What was chosen for a scene."""
    record: dict[str, Any] = scene.record
    yield f"policy.{record['degradation']['policy']}"
    yield f"loudest.{record['degradation']['loudest']}"
    yield f"flat.{record['flat']}"
    yield f"kind.{record['target']['kind']}"
    yield f"guarded.{record['guard_db'] < 0}"
    if "lead" in record["target"]:
        yield f"lead.{record['target']['lead']}"
    yield from (f"present.{stem}" for stem, sounds in zip(STEMS, record["present"], strict=True) if sounds)
    yield "none" if scene.pictures is None else str(len(scene.pictures))
    for _, picture in scene.pictures or ():
        kind = picture.partition(":")[0]
        yield f"shown.{kind if kind in ('subject', 'other') else 'event'}"


def draw(name: str) -> Drawn:
    """`EACH` scenes of a kind, of stems that no other kind has."""
    first = 1000 + EACH * list(CONFIGS).index(name)
    figures: dict[str, list[np.ndarray]] = {}
    rules: dict[str, list[float]] = {}
    shares: Counter[str] = Counter()
    for start in range(first, first + EACH, HAND):
        batch = invented_batch(range(start, start + HAND), CONFIGS[name], RECORDED["seconds"])
        for key, values in figures_of(batch):
            figures.setdefault(key, []).append(values)
        for scene in map(batch.scene, range(HAND)):
            shares.update(choices_of(scene))
            for key, value in rules_of(scene):
                rules.setdefault(key, []).append(value)
    return Drawn(EACH, {key: np.concatenate(values) for key, values in figures.items()}, rules, shares)


@pytest.fixture(scope="module")
def drawn() -> dict[str, Drawn]:
    return {name: draw(name) for name in CONFIGS}


def distances(values: np.ndarray, quantiles: list[float]) -> np.ndarray:
    """By how much the share of values up to each recorded quantile is off, up or down.

    Where values tie, the share up to one is at least, and that below it at most, what was recorded.
    """
    ordered, wanted = np.sort(np.round(values, 3)), np.array(RECORDED["levels"])
    places = np.round(quantiles, 3)
    below, upto = (np.searchsorted(ordered, places, side) / len(values) for side in ("left", "right"))
    same = places[:, None] == places
    most, least = np.where(same, wanted, 0.0).max(1), np.where(same, wanted, 1.0).min(1)
    return np.where(upto < most, upto - most, np.maximum(below - least, 0.0))


def widest(*observations: int) -> float:
    """How far two samples of the same may be apart."""
    return KOLMOGOROV * math.sqrt(sum(1.0 / count for count in observations))


def off_figures(drawn: dict[str, Drawn], kinds: list[str]) -> dict[str, float]:
    """Figures of these kinds of scenes taken together whose distance is past what it may be; and that distance."""
    found = {}
    for key in RECORDED["sets"][kinds[0]]["quantiles"]:
        sets = [(drawn[kind].figures[key], RECORDED["sets"][kind]) for kind in kinds]
        each = [len(values) * distances(values, stored["quantiles"][key]) for values, stored in sets]
        count = sum(len(values) for values, _ in sets)
        distance = float(np.abs(sum(each) / count).max())
        # The recorded kinds of scenes had their stems in common, so they are no more than as many.
        if distance > widest(count, min(stored["observations"][key] for _, stored in sets)):
            found[key] = round(distance, 3)
    return found


def off_rules(drawn: dict[str, Drawn]) -> dict[str, float]:
    """The same of single rules, which are alike in all kinds of scenes."""
    stored, found = RECORDED["rules"], {}
    for key, quantiles in stored["quantiles"].items():
        values = np.concatenate([one.rules.get(key, []) for one in drawn.values()])
        distance = float(np.abs(distances(values, quantiles)).max())
        if distance > widest(len(values), stored["observations"][key]):
            found[key] = round(distance, 3)
    return found


def off_shares(drawn: dict[str, Drawn], kinds: list[str]) -> dict[str, tuple[float, float]]:
    """Choices these kinds of scenes taken together made more or less often than they may; the shares now and then."""
    now, then = Counter[str](), Counter[str]()
    for kind in kinds:
        now.update(drawn[kind].shares)
        stored = RECORDED["sets"][kind]
        then.update(
            {key: share * stored["count"] for key, share in (stored["shares"] | stored["pictures"]).items()}
        )
    counts = [sum(drawn[kind].count for kind in kinds), RECORDED["sets"][kinds[0]]["count"]]
    shots = 3.0  # a scene may show as many pictures
    found = {}
    for key in (now.keys() | then.keys()) - INTENDED:
        most = shots if key.startswith("shown.") else 1.0
        shares = now[key] / counts[0], then[key] / (counts[1] * len(kinds))
        common = (shares[0] * counts[0] + shares[1] * counts[1]) / sum(counts) / most
        spread = most * math.sqrt(common * (1.0 - common) * sum(1.0 / count for count in counts))
        if abs(shares[0] - shares[1]) > NORMAL * spread + 0.5 / counts[0]:
            found[key] = (round(shares[0], 3), round(shares[1], 3))
    return found


def by_kind(found: dict[str, Any]) -> dict[str, Any]:
    return {kind: off for kind, off in found.items() if off}


def test_figures_are_spread_as_they_were(drawn) -> None:
    assert off_figures(drawn, list(CONFIGS)) == {}
    assert by_kind({kind: off_figures(drawn, [kind]) for kind in CONFIGS}) == {}


def test_single_rules_give_what_they_gave(drawn) -> None:
    assert off_rules(drawn) == {}


def test_what_is_chosen_is_chosen_as_often_as_it_was(drawn) -> None:
    assert off_shares(drawn, list(CONFIGS)) == {}
    assert by_kind({kind: off_shares(drawn, [kind]) for kind in CONFIGS}) == {}
