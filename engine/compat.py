"""Makes torchvision and torchaudio importable where their compiled parts do not fit the installed torch.

Both packages are used here for what they do in Python. Their wheels from the usual index are built for one
CUDA version, and with a CPU build of torch the import itself fails. Where the compiled part loads, nothing
is changed.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import ModelError
from .installation import line_for

# The operators whose schemas torchvision's Python code expects its compiled part to have registered.
VISION_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

# A library of operators lives as long as this object does.
_kept: list[object] = []


def ensure_torchvision() -> ModuleType:
    """Import torchvision, with the operator schemas of its compiled part registered where that cannot load.

    The operators themselves stay without code and say so when called. Raises `ModelError` if torchvision is
    not installed or cannot be imported all the same.
    """
    if "torchvision" not in sys.modules and _loads(_folder("torchvision"), "_C") is not True:
        _register_vision_schemas()
    return _import("torchvision")


def ensure_torchaudio() -> ModuleType:
    """Import torchaudio, with a stand-in for its compiled part where that cannot load.

    The stand-in says that no compiled part is there, and torchaudio then uses its Python code. Raises
    `ModelError` if torchaudio is not installed or cannot be imported all the same.
    """
    name = "torchaudio._extension"
    if "torchaudio" in sys.modules:
        return _import("torchaudio")
    folder = _folder("torchaudio") / "lib"
    if False not in (_loads(folder, "_torchaudio"), _loads(folder, "libtorchaudio")):
        return _import("torchaudio")
    sys.modules[name] = _audio_stand_in(name)
    try:
        module = _import("torchaudio")
    except ModelError:
        del sys.modules[name]
        raise
    module.__dict__["_extension"] = sys.modules[name]
    return module


def ensure_companions() -> None:
    """Make sure of whichever of torchvision and torchaudio is installed.

    For libraries that import them where they are there, and fail where they do not fit. Raises `ModelError`.
    """
    if find_spec("torchvision"):
        ensure_torchvision()
    if find_spec("torchaudio"):
        ensure_torchaudio()


def _register_vision_schemas() -> None:
    import torch

    missing = [s for s in VISION_SCHEMAS if not hasattr(torch.ops.torchvision, s.partition("(")[0])]
    make: Any = torch.library.Library
    library = make("torchvision", "FRAGMENT")
    for schema in missing:
        library.define(schema)
    _kept.append(library)


def _audio_stand_in(name: str) -> ModuleType:
    def unavailable(*_: Any, **__: Any) -> Any:
        raise RuntimeError("This needs torchaudio's compiled part, which does not fit the installed torch.")

    module = ModuleType(name, "Stands in for torchaudio's compiled part.")
    module.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        _load_lib=lambda _: False,
        fail_if_no_align=lambda _: unavailable,
    )
    return module


def _folder(name: str) -> Path:
    try:
        spec = find_spec(name)
    except ValueError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The package {name} is not installed; install it with `{line_for('clip')}`.")
    return Path(spec.submodule_search_locations[0])


def _loads(folder: Path, stem: str) -> bool | None:
    """Whether the compiled part `stem` in `folder` loads into the installed torch; None if it is absent."""
    import torch

    found = [folder / (stem + suffix) for suffix in (*EXTENSION_SUFFIXES, ".so", ".pyd", ".dll")]
    load: Any = torch.ops.load_library
    path = next((path for path in found if path.is_file()), None)
    if path is None:
        return None
    try:
        load(path)
    except OSError:
        return False
    return True


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            f"The package {name} cannot be imported with the torch that is installed ({error}); "
            "install builds of both that were made for each other."
        ) from error
