"""What the user may set of a rebalance; light, so that planning need not import what renders."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..roles import PARTS
from .identity import CONTEXTS

Array = NDArray[np.float32]


@dataclass(frozen=True)
class RebalanceSettings:
    """What the user may set: `strength` 0…1 of the model's own curves, and dB added to each stem.

    `raw_stems` writes stems before their gains, for hosts that apply the curves themselves.
    """

    strength: float = 1.0
    dialogue_db: float = 0.0
    music_db: float = 0.0
    effects_db: float = 0.0
    stems: bool = False
    raw_stems: bool = False
    context: str = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise SettingsError(f"Strength must lie between 0 and 1, not {self.strength:g}.")
        for role in PARTS:
            value = getattr(self, f"{role.name}_db")
            if not -60 <= value <= 24:
                raise SettingsError(f"{role.title} gain must lie in -60…24 dB, not {value:g}.")
        if self.context not in CONTEXTS:
            raise SettingsError(f"Context must be one of {', '.join(CONTEXTS)}, not '{self.context}'.")

    @property
    def offsets_db(self) -> Array:
        """What is added to each stem's curve, (3, 1) dB."""
        return np.array([[getattr(self, f"{role.name}_db")] for role in PARTS], np.float32)

    def to_dict(self) -> dict[str, object]:
        """Plain data for the provenance record."""
        return asdict(self)
