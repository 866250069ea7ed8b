"""What devices that learn together decide as one, so that none waits for another that has gone."""

from __future__ import annotations

from typing import Any, TypeVar

import torch

T = TypeVar("T")


class Peers:
    """Device number `rank` of `count`. They talk by their processors, so that no graphics card is waited for."""

    def __init__(self, rank: int, count: int) -> None:
        self.rank, self.count = rank, count
        self._group: Any = torch.distributed.new_group(backend="gloo") if count > 1 else None

    def any(self, mine: bool) -> bool:
        """Whether any of them says so; all get the same answer."""
        if self._group is None:
            return mine
        said = torch.tensor([int(mine)])
        torch.distributed.all_reduce(said, torch.distributed.ReduceOp.MAX, group=self._group)
        return bool(said)

    def gathered(self, mine: T) -> list[T]:
        """What every one of them has, by rank."""
        if self._group is None:
            return [mine]
        parts: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(parts, mine, group=self._group)
        return parts
