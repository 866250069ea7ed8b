"""What a highlighting model is made of, told from cards alone: nothing is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from ..context.encoders import CLIP_ENCODER
from ..errors import ModelError, SettingsError
from ..version import SHIPPED_MODEL
from ..weights.store import Card, load_card

CONTEXTS = ("auto", "none", "frames", "clip", "captions")


@dataclass(frozen=True)
class ModelIdentity:
    """A model and the encoder that describes the context to it, by name and SHA-256 of their weights.

    `encoder` is empty where the model is told nothing; its hash is empty where the encoder is a folder of files.
    """

    model: str
    weights_sha256: str
    encoder: str = ""
    encoder_sha256: str = ""


def identity_of(model: str = "", context: str = "auto") -> ModelIdentity:
    """The model called `model` (the shipped one if empty) under a context, one of `CONTEXTS`.

    Raises ModelError for a name without a card, or for a context the model was not trained with.
    """
    card = load_card(model or SHIPPED_MODEL)
    encoder = encoder_for(card, context)
    return ModelIdentity(card.name, card.sha256, encoder, _sha256(encoder))


def encoder_for(card: Card, context: str) -> str:
    """The name of the encoder a model needs for a context, empty for none.

    Raises SettingsError for a word that is no context, ModelError where the model was not trained with it.
    """
    if context not in CONTEXTS:
        raise SettingsError(f"Context must be one of {', '.join(CONTEXTS)}, not '{context}'.")
    trained_with = str(card.config.get("context", ""))
    network = card.config.get("network", {})
    if context == "none" or not (isinstance(network, dict) and network.get("context_dim", 1)):
        return ""
    if context == "captions" and not trained_with.startswith("t5"):
        raise ModelError(
            f"The model '{card.name}' was trained on pictures, not captions; "
            "choose --context frames, or a model trained on text."
        )
    if context == "clip" and trained_with != CLIP_ENCODER:
        raise ModelError(
            f"The model '{card.name}' was trained with '{trained_with}', not with CLIP; "
            "choose --context frames, or a model trained with CLIP."
        )
    return trained_with


def _sha256(encoder: str) -> str:
    try:
        return load_card(encoder).sha256 if encoder else ""
    except ModelError:
        return ""  # a folder of files, such as a T5 encoder
