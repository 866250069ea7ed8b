"""torchvision and torchaudio import beside a torch they were not built for, and are left alone otherwise."""

import re
import subprocess
import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import pytest
from sightmix.engine import compat
from sightmix.engine.errors import ModelError
from sightmix.engine.installation import line_for

torch = pytest.importorskip("torch")
needs_both = pytest.mark.skipif(
    not (find_spec("torchvision") and find_spec("torchaudio")), reason="the extra `clip` is not installed"
)

IMPORT_BOTH = """
from contextlib import suppress
for name in ("torchvision", "torchaudio"):
    with suppress(Exception):
        __import__(name)
import warnings
warnings.simplefilter("error")
import torch
from sightmix.engine.compat import ensure_torchaudio, ensure_torchvision
vision, audio = ensure_torchvision(), ensure_torchaudio()
import torchaudio, torchvision
assert (torchvision, torchaudio) == (vision, audio) == (ensure_torchvision(), ensure_torchaudio())
half = torchvision.transforms.functional.resize(torch.ones(3, 8, 8), [4, 4])
assert half.shape == (3, 4, 4)
tone = torch.sin(torch.arange(4800) * 0.1)[None]
assert torchaudio.functional.resample(tone, 48000, 44100).shape == (1, 4410)
smooth = torchaudio.functional.lfilter(tone, torch.tensor([1.0, -0.5]), torch.tensor([0.5, 0.0]))
assert abs(smooth[0, 1] - (0.5 * tone[0, 1] + 0.5 * smooth[0, 0])) < 1e-6
"""


@needs_both
def test_both_import_even_after_a_failed_try():
    subprocess.run([sys.executable, "-c", IMPORT_BOTH], check=True)


@needs_both
def test_both_import_in_this_process():
    assert compat.ensure_torchvision().__name__ == "torchvision"
    assert compat.ensure_torchaudio().__name__ == "torchaudio"
    assert compat.ensure_torchaudio() is sys.modules["torchaudio"]


@pytest.fixture
def packages(monkeypatch):
    """Pretends that both packages are installed and not yet imported; records what is done to them."""
    seen = SimpleNamespace(loaded=[], imported=[], registered=[], loads=True)
    for name in [name for name in sys.modules if name.split(".")[0] in ("torchvision", "torchaudio")]:
        monkeypatch.delitem(sys.modules, name)

    def loads(folder, stem):
        seen.loaded.append(stem)
        return seen.loads

    def import_module(name):
        seen.imported.append((name, name + "._extension" in sys.modules))
        return ModuleType(name)

    monkeypatch.setattr(compat, "_loads", loads)
    monkeypatch.setattr(compat, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=["/x"]))
    monkeypatch.setattr(compat, "importlib", SimpleNamespace(import_module=import_module))
    monkeypatch.setattr(compat, "_register_vision_schemas", lambda: seen.registered.append("schemas"))
    return seen


def test_matching_wheels_are_left_alone(packages):
    compat.ensure_torchvision()
    compat.ensure_torchaudio()
    assert packages.loaded == ["_C", "_torchaudio", "libtorchaudio"]
    assert packages.imported == [("torchvision", False), ("torchaudio", False)]
    assert packages.registered == []


def test_torchaudio_without_compiled_part_is_left_alone(packages):
    packages.loads = None
    compat.ensure_torchaudio()
    assert packages.imported == [("torchaudio", False)]


def test_parts_that_do_not_load_are_stood_in_for(packages):
    packages.loads = False
    compat.ensure_torchvision()
    audio = compat.ensure_torchaudio()
    assert packages.registered == ["schemas"]
    assert packages.imported == [("torchvision", False), ("torchaudio", True)]
    stand_in = sys.modules.pop("torchaudio._extension")
    assert audio._extension is stand_in
    assert stand_in._IS_TORCHAUDIO_EXT_AVAILABLE is False
    with pytest.raises(RuntimeError, match="compiled part"):
        stand_in.fail_if_no_align(print)("not printed")


def test_a_package_that_still_fails_is_one_sentence(packages, monkeypatch):
    packages.loads = False

    def fail(name):
        raise RuntimeError(f"{name} is of another age")

    monkeypatch.setattr(compat, "importlib", SimpleNamespace(import_module=fail))
    with pytest.raises(ModelError, match=r"torchaudio cannot be imported .*another age"):
        compat.ensure_torchaudio()
    assert "torchaudio._extension" not in sys.modules
    with pytest.raises(ModelError, match="made for each other"):
        compat.ensure_torchvision()


def test_a_package_that_is_absent_names_the_line_that_adds_it(packages, monkeypatch):
    monkeypatch.setattr(compat, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=f"torchvision is not installed.*{re.escape(line_for('clip'))}"):
        compat.ensure_torchvision()


def test_companions_are_those_that_are_installed(packages, monkeypatch):
    only = {"torchaudio": SimpleNamespace(submodule_search_locations=["/x"])}
    monkeypatch.setattr(compat, "find_spec", only.get)
    compat.ensure_companions()
    assert packages.imported == [("torchaudio", False)]


def test_a_compiled_part_that_is_none_does_not_load(tmp_path):
    assert compat._loads(tmp_path, "_C") is None
    (tmp_path / "_C.so").write_bytes(b"no library")
    assert compat._loads(tmp_path, "_C") is False
