"""What turns gradients into new weights: Adam for everything, or Muon for the matrices between layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .config import TrainConfig

LEAST_SIDE = 16  # of a matrix whose directions are worth being made equal
QUINTIC = (3.4445, -4.775, 2.0315)  # Jordan, "Muon", 2024
EDGES = ("read.", "write.", "place", "context_in", "seen_in", "levels_in", "gain.out", "touched")


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam, or Muon for the matrices inside and Adam for what reads, writes, scales and shifts.

    Muon (Jordan, 2024) gives every direction of a matrix the same stride, matched to Adam's in size, so that one
    learning rate serves both.
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


def levelled(matrix: Tensor) -> Tensor:
    """A matrix with all its singular values near 1, by five Newton–Schulz steps of Muon's quintic.

    In bfloat16 on a graphics card. On a processor in float32: few have bfloat16, and imitating it took twice as long as
    all the rest of a step.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix).to(torch.bfloat16 if matrix.is_cuda else torch.float32)
    x = x / x.norm().clamp_min(1e-7)
    a, b, c = QUINTIC
    for _ in range(5):
        gram = x @ x.mT
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov's momentum and no decay; state and stride are as torch has them ("match_rms_adamw")."""

    def __init__(self, parameters: list[nn.Parameter], rate: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": rate, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Tensor | None:  # type: ignore[override]
        """One step."""
        if closure is not None:
            raise ValueError("this optimizer takes gradients, not a closure")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                kept = state.setdefault("momentum_buffer", torch.zeros_like(parameter))
                kept.lerp_(parameter.grad, 1 - group["momentum"])
                update = levelled(parameter.grad.lerp(kept, group["momentum"]))
                parameter.add_(update, alpha=-0.2 * group["lr"] * max(parameter.shape) ** 0.5)
        return None


class Together(torch.optim.Optimizer):
    """Muon and Adam as one optimizer: one list of groups, one state to store."""

    def __init__(self, inside: list[nn.Parameter], rest: list[nn.Parameter], rate: float) -> None:
        self.parts: list[torch.optim.Optimizer] = []
        super().__init__([{"params": inside}, {"params": rest}], {"lr": rate})
        self._divide()

    def _divide(self) -> None:
        inside, rest = self.param_groups
        muon = Muon(inside["params"], inside["lr"])
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
