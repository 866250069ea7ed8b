"""What turns gradients into new weights: Adam for everything, or Muon for the matrices between layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .config import TrainConfig

LEAST_SIDE = 16  # of a matrix whose directions are worth being made equal
EDGES = ("read.", "write.", "place", "context_in", "seen_in", "levels_in", "gain.out", "touched")


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam, or Muon for the matrices inside and Adam for what reads, writes, scales and shifts.

    Muon (Jordan, 2024, as torch has it) gives every direction of a matrix the same stride, matched to Adam's in size,
    so that one learning rate serves both.
    """
    if config.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    inside: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        matrix = parameter.ndim == 2 and min(parameter.shape) >= LEAST_SIDE
        edge = any(part in name for part in EDGES)
        (inside if matrix and not edge else rest).append(parameter)
    return Together(inside, rest, config.learning_rate)


class Together(torch.optim.Optimizer):
    """Muon and Adam as one optimizer: one list of groups, one state to store."""

    def __init__(self, inside: list[nn.Parameter], rest: list[nn.Parameter], rate: float) -> None:
        self.parts: list[torch.optim.Optimizer] = []
        super().__init__([{"params": inside}, {"params": rest}], {"lr": rate})
        self._divide()

    def _divide(self) -> None:
        inside, rest = self.param_groups
        muon = torch.optim.Muon(
            inside["params"], lr=inside["lr"], weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
        )
        adam = torch.optim.Adam(rest["params"], lr=rest["lr"])
        # Both work on this optimizer's groups and state, so that loading and saving see one.
        for part, group in ((muon, inside), (adam, rest)):
            group.update({k: v for k, v in part.param_groups[0].items() if k not in ("params", "lr")})
            part.param_groups = [group]
            part.state = self.state
        self.parts = [muon, adam]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a stored state."""
        super().load_state_dict(state_dict)
        self._divide()

    def step(self, closure: Any = None) -> Tensor | None:  # type: ignore[override]
        """One step of both."""
        if closure is not None:
            raise ValueError("this optimizer takes gradients, not a closure")
        for part in self.parts:
            part.step()
        return None


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, keep: float, step: int) -> None:
    """Move a moving average of weights after them; it keeps a share `keep` of itself, less in the first steps."""
    keep = min(keep, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - keep)
