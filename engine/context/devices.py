"""Where torch encoders run, and how many cores they may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ModelError


def choose_device(device: str, what: str) -> tuple[str, tuple[str, ...]]:
    """The device torch can use for `device`, and a sentence if it is another: without CUDA it is the CPU."""
    import torch

    if device == "cpu" or torch.cuda.is_available():
        return device, ()
    return "cpu", (f"The encoder '{what}' runs on the CPU: torch finds no CUDA device.",)


@contextmanager
def running(what: str, threads: int | None) -> Iterator[None]:
    """Run torch without gradients on at most `threads` cores (None: as they are) inside the block.

    Raises `ModelError` with advice where the GPU's memory does not suffice.
    """
    import torch

    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            yield
    except torch.cuda.OutOfMemoryError as error:
        raise ModelError(
            f"The GPU has no room for the encoder '{what}'; close what else uses it or choose the CPU."
        ) from error
    finally:
        torch.set_num_threads(before)
