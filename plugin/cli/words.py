"""What stages are called on a screen."""

from __future__ import annotations

_WORDS = {
    "rebalance": "rebalancing",
    "loudness": "measuring",
    "finish": "levelling",
    "report": "reporting",
    "cuts": "finding cuts",
    "listen": "listening",
    "fetch": "fetching",
    "measure": "measuring",
    "bounce": "riding",
    "check": "checking",
    "export": "exporting",
}


def word_for(stage: str) -> str:
    """What a stage is called on screen."""
    return _WORDS.get(stage, stage)
