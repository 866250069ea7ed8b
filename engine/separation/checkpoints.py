"""Published soundtrack separators whose weights and code the user supplies: Bandit v2, TIGER-DnR and MRX.

None of their code is part of sightmix. Each adapter imports the project's own modules, builds the network it
publishes, and loads the checkpoint a model card describes, after checking its size and digest, key by key.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..files import place
from ..installation import line_for
from ..media.loudness import measure
from ..weights.card import nearest
from ..weights.store import (
    Card,
    absent_message,
    add_card,
    find_file,
    load_tensors,
    make_card,
    verify,
    writable_root,
)
from .base import Array, at_rate, check_sound, first_line, fitted, need, whole

_MRX_LUFS = -27.0  # the level MRX was trained at, in its published `separate.py`


@dataclass(frozen=True)
class Family:
    """A published separator: its card's `kind`, rate in Hz, the project, the module its network is in."""

    name: str
    rate: int
    project: str
    module: str
    network: str
    weights: str
    licence: str
    trained_on: tuple[str, ...]
    arguments: Mapping[str, Any]
    run: Callable[[Any, Any, Any], Any]

    @property
    def kind(self) -> str:
        """The kind of its cards."""
        return f"separator-{self.name}"


def _run_mrx(torch: Any, model: Any, mono: Any) -> Any:
    """MRX: (1, n) in, music, speech and sfx (3, 1, n) out, at the level it was trained at."""
    loudness = measure(mono.cpu().numpy(), 44_100).integrated
    gain = 10 ** ((_MRX_LUFS - loudness) / 20) if math.isfinite(loudness) else 1.0
    music, speech, effects = model(mono * gain)[:, 0] / gain
    return torch.stack([speech, music, effects])


def _run_tiger(torch: Any, model: Any, mono: Any) -> Any:
    """TIGER-DnR: (1, 1, n) in, dialogue, effects and music (1, n) out; it cuts long sound up by itself."""
    speech, effects, music = (part.reshape(-1) for part in model(mono[None]))
    return torch.stack([speech, music, effects])


def _run_bandit(torch: Any, model: Any, mono: Any) -> Any:
    """Bandit v2: a batch of nested dictionaries in and out, stems by name."""
    found = model({"mixture": {"audio": mono[None]}})["estimates"]
    return torch.stack([found[name]["audio"].reshape(-1) for name in ("speech", "music", "sfx")])


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="mrx",
            rate=44_100,
            project="https://github.com/merlresearch/cocktail-fork-separation",
            module="mrx",
            network="MRX",
            weights="checkpoints/*.pth of the project, by Git LFS, 122 MB each",
            licence="MIT",
            trained_on=("Divide and Remaster v2",),
            arguments={},
            run=_run_mrx,
        ),
        Family(
            name="tiger",
            rate=44_100,
            project="https://github.com/JusperLee/TIGER",
            module="look2hear.models",
            network="TIGERDNR",
            weights="JusperLee/TIGER-DnR on Hugging Face, about 16 MB",
            licence="Apache-2.0",
            trained_on=("Divide and Remaster v2, whose music (FMA) is in part for non-commercial use",),
            arguments={},
            run=_run_tiger,
        ),
        # Sizes as in the project's configs/models/bandit-mus64.yaml and its 48 kHz experiments.
        Family(
            name="bandit-v2",
            rate=48_000,
            project="https://github.com/kwatcharasupat/bandit-v2",
            module="src.models.bandit.bandit",
            network="Bandit",
            weights="https://zenodo.org/records/12701995, checkpoint-multi.ckpt or one language's, about 447 MB",
            licence="CC-BY-SA-4.0",
            trained_on=("Divide and Remaster v3",),
            arguments={
                "in_channels": 1,
                "stems": ["speech", "music", "sfx"],
                "fs": 48_000,
                "n_sqm_modules": 8,
                "rnn_type": "GRU",
                "pad_mode": "reflect",
            },
            run=_run_bandit,
        ),
    )
}


class CheckpointSeparator:
    """A published network with the weights of a card, one channel at a time. Raises `ModelError` in one sentence."""

    def __init__(self, card: Card, device: str = "cpu") -> None:
        family = FAMILIES.get(card.kind.removeprefix("separator-"))
        if family is None or card.kind != family.kind:
            raise ModelError(f"The model '{card.name}' is of the kind '{card.kind}' and separates nothing.")
        path = _weights(card, family)
        purpose = f"The separator '{card.name}'"
        self._torch = need("torch", purpose, f"`{line_for('torch')}`")
        how = f"get {family.project} and name its folder in PYTHONPATH"
        module = need(family.module, purpose, how)
        self.name, self.rate, self._family, self._device = card.name, family.rate, family, device
        arguments = {**family.arguments, **card.config.get("arguments", {})}
        try:
            self._model: Any = getattr(module, family.network)(**arguments)
            _load(self._torch, self._model, path)
            self._model.eval().to(device)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"{family.network} of {family.project} cannot be built for '{card.name}': {first_line(error)}."
            ) from error

    def separate(self, sound: Array, rate: int) -> Array:
        """See `Separator.separate`."""
        check_sound(sound)
        heard = at_rate(np.asarray(sound, np.float32), rate, self.rate)
        try:
            with self._torch.inference_mode():
                found = [self._channel(channel) for channel in heard]
        except Exception as error:
            raise ModelError(f"The separator '{self.name}' failed: {first_line(error)}.") from error
        back = at_rate(np.stack(found, axis=1), self.rate, rate)
        return whole(fitted(back, sound.shape[1]), sound)

    def _channel(self, channel: Array) -> Array:
        mono = self._torch.from_numpy(np.ascontiguousarray(channel[None])).to(self._device)
        stems = self._family.run(self._torch, self._model, mono)
        return np.asarray(stems.float().cpu().numpy(), np.float32)


def take_in(family: str, checkpoint: Path, name: str = "", licence: str = "") -> Card:
    """Make a checkpoint of the user's a model: copy it among the weights and write its card, digest and all.

    Raises `ModelError` for an unknown family or a file that cannot be read, `WriteError` if there is no room.
    """
    if family not in FAMILIES:
        raise ModelError(f"There is no separator called '{family}'{nearest(family, FAMILIES)}.")
    known = FAMILIES[family]
    card = make_card(
        checkpoint,
        name=name or f"{family}-{checkpoint.stem}",
        kind=known.kind,
        licence=licence or known.licence,
        trained_on=list(known.trained_on),
        source=f"{known.project}; {known.weights}",
    )
    root = writable_root()
    target = root / card.file
    place(checkpoint, target, parents=True, link=False)
    add_card(card)
    return card


def _weights(card: Card, family: Family) -> Path:
    """Where the card's file lies, checked; raises `ModelError` saying where it is to be had."""
    path = find_file(card.file)
    if path is None:
        where = "" if card.url else f"; it is to be had from {card.source or family.project}".rstrip(".")
        raise ModelError(f"{absent_message(card).rstrip('.')}{where}.")
    verify(path, card)
    return path


def _load(torch: Any, model: Any, path: Path) -> None:
    """Load a checkpoint into a network, every key of both accounted for; raises `ModelError`."""
    if path.suffix == ".safetensors":
        state = {key: torch.from_numpy(np.array(value)) for key, value in load_tensors(path).items()}
    else:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
            raise ModelError(f"The weights {path} cannot be read safely: {first_line(error)}.") from error
    if not isinstance(state, Mapping):
        raise ModelError(f"The weights {path} are not a table of tensors.")
    nested = state.get("state_dict", state)
    inner = {key.removeprefix("model."): value for key, value in nested.items() if key.startswith("model.")}
    # Lightning keeps the network under "model." beside losses and metrics, torch.compile its inside under "_orig_mod.".
    wanted = {key.replace("_orig_mod.", ""): key for key in model.state_dict()}
    given = {key.replace("_orig_mod.", ""): value for key, value in (inner or nested).items()}
    lacking, unknown = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
    if lacking or unknown:
        what = f"lack '{lacking[0]}'" if lacking else f"hold an unknown '{unknown[0]}'"
        raise ModelError(
            f"The weights {path} do not fit the network: they {what} ({len(lacking)} missing, {len(unknown)} unknown)."
        )
    model.load_state_dict({wanted[key]: value for key, value in given.items()})
