"""What is made in other processes: one sentence where they fail, and none of them left when it ends."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from torch.utils.data import default_collate as collated

from ...errors import SightmixError, TrainingError
from ..workers import begin_worker

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Failure:
    """What takes the place of an item that could not be made; `trace` is empty where the sentence says it all."""

    sentence: str
    trace: str = ""


class _Told(Dataset[Any]):
    """A data set whose failures are values: an exception would come out of a worker as a text of many lines."""

    def __init__(self, made: Dataset[Any]) -> None:
        self.made = made

    def __len__(self) -> int:
        return len(self.made)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Any:
        try:
            return self.made[index]
        except SightmixError as error:
            return _Failure(str(error))
        except Exception as error:  # noqa: BLE001  (raised again, as a sentence, by who waits for it)
            what = " ".join(f"{type(error).__name__}: {error}".split())
            return _Failure(f"Scene {index} could not be made: {what}.", traceback.format_exc())


def loaded(
    made: Dataset[Any], workers: int, batch: int | None = None, ahead: int | None = None
) -> Generator[Any, None, None]:
    """What `made` holds from 0 to its end, in order, made by `workers` processes; `batch` of them stacked where given.

    `ahead` is how many each process keeps ready. The processes end with this generator, however it ends. Raises
    TrainingError in one sentence where an item cannot be made, or a process has died.
    """
    loader: DataLoader[Any] = DataLoader(
        _Told(made),
        batch_size=batch,
        num_workers=workers,
        prefetch_factor=ahead if workers else None,
        collate_fn=None if batch is None else _stacked,
        worker_init_fn=quiet_worker,
    )
    iterator = iter(loader)
    try:
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                return
            except RuntimeError as error:  # torch's for a worker that was killed, or could not hand over
                reason = str(error).partition("\n")[0].rstrip(".")
                raise TrainingError(
                    f"A process that makes scenes has ended ({reason}); set 'workers' lower if memory is short."
                ) from error
            if isinstance(item, _Failure):
                if item.trace:
                    _log.error("%s\n%s", item.sentence, item.trace)
                raise TrainingError(item.sentence)
            yield item
    finally:
        _end(iterator)


def _stacked(items: list[Any]) -> Any:
    """Items as one batch, or the first that failed."""
    failed = [item for item in items if isinstance(item, _Failure)]
    return failed[0] if failed else collated(items)


def _end(iterator: Any) -> None:
    """End an iterator's processes: asked to, and killed where they do not listen, for they ignore signals."""
    workers = list(getattr(iterator, "_workers", ()))
    if workers:
        iterator._shutdown_workers()
    for worker in workers:
        if worker.is_alive():
            worker.kill()
            worker.join()


def quiet_worker(_: int) -> None:
    """One of a loader's workers: one thread."""
    torch.set_num_threads(1)
    begin_worker()
