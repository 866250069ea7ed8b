"""How training scenes are drawn, as data: shares, spreads and probabilities, and the presets by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from .dice import Dice
from .priors import FILMS, LoudnessPrior


@dataclass(frozen=True)
class SceneConfig:
    """How scenes are drawn. Shares and probabilities are 0…1.

    `target` is "well_mixed" or "random" (film-spread levels without a mixer's sense); `policies` weighs the
    degradations; `flat` is the share of clips whose input is not ducked yet, so that the network has to
    duck; `untouched` the share of clips that are well mixed as they are. `presence` gives the share of silent
    classes.
    `random` is the share of scenes with "random" targets among the others.
    `picture` is the share of scenes that come with pictures, where the source has any. `composed` is the share of
    scenes whose pictures show whose sound the good mix brings out, which nothing in the sound tells; `level_blind` the
    share of those whose muddy levels tell nothing of it either: what is muddied is a good mix for other pictures.
    `blind` is the share of pictured scenes whose pictures are then kept from the network. `trim_sd` dB is the spread
    of a level change common to input and good mix: what to do does not depend on how loud it all is. `delivery` dB is
    the widest of another such change, even in dB, that goes up only as far as the peaks allow.

    `low_pass` and `reverb` are shares of stems of the older colours; `rooms` and `codecs` are shares of stems heard in
    rooms, and through telephones and codecs, as films have them. `hard_speech` is the share of scenes with speech whose
    speech is hard to make out: 8 to 25 dB under the rest in the muddy mix, several voices at once, drifting, off the
    microphone.
    `programme` s is the length of the programmes that scenes are cut from: levels, style and degradation carry over
    their cuts. With 0 every scene stands alone.
    """

    target: str = "well_mixed"
    policies: Mapping[str, float] = field(
        default_factory=lambda: {"paper": 0.35, "continuous": 0.3, "released": 0.15, "per_second": 0.2}
    )
    flat: float = 0.6
    untouched: float = 0.12
    presence: LoudnessPrior = FILMS
    augment: bool = True
    low_pass: float = 0.3
    reverb: float = 0.15
    picture: float = 0.5
    random: float = 0.0
    composed: float = 0.0
    level_blind: float = 0.0
    blind: float = 0.0
    trim_sd: float = 3.0
    delivery: float = 0.0
    hard_speech: float = 0.0
    rooms: float = 0.0
    codecs: float = 0.0
    programme: float = 0.0


PRODUCT = SceneConfig()
RANDOM = SceneConfig(target="random", trim_sd=0.0)
COMPOSED = SceneConfig(composed=1.0)
PRESETS = {"well_mixed": PRODUCT, "random": RANDOM, "composed": COMPOSED}


def hard_speech(dice: Dice, config: SceneConfig) -> Tensor:
    """Which scenes (B,) are to have speech that is hard to make out, if they have any."""
    return dice.chance("hard_speech", config.hard_speech)
