"""Where a model can run: the processor always, and graphics cards that work when they are tried."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from sightmix.engine.highlight import backends
from sightmix.engine.highlight.devices import devices, devices_data


def having(monkeypatch: pytest.MonkeyPatch, torch: bool, onnx: bool) -> None:
    monkeypatch.setattr(backends, "_torch_has_cuda", lambda: torch)
    monkeypatch.setattr(backends, "_onnx_has_cuda", lambda: onnx)


def torch_with(*broken: str) -> Any:
    """A torch with two cards, of which some fail when they are used."""

    def ones(_n: int, device: str) -> Any:
        if device in broken:
            raise RuntimeError("no kernel image is available\nmore of it")
        return _One()

    cuda = SimpleNamespace(device_count=lambda: 2, get_device_name=lambda n: f"Card {n}")
    return SimpleNamespace(cuda=cuda, ones=ones)


class _One:
    def __add__(self, other: int) -> _One:
        return self

    def item(self) -> float:
        return 2.0


def test_without_a_card_there_is_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    having(monkeypatch, torch=False, onnx=False)
    (cpu,) = devices()
    assert (cpu.key, cpu.reason) == ("cpu", "")
    assert cpu.name.startswith("CPU, ")
    assert devices_data()["auto"] == "cpu"


def test_onnx_runtime_s_card_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    having(monkeypatch, torch=False, onnx=True)
    found = devices_data()
    assert [device["key"] for device in found["devices"]] == ["cpu", "cuda:0"]
    assert found["auto"] == "cpu"


@pytest.mark.parametrize(("broken", "auto"), [((), "cuda:0"), (("cuda:1",), "cuda:0"), (("cuda:0",), "cpu")])
def test_a_card_that_fails_says_why_and_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...], auto: str
) -> None:
    having(monkeypatch, torch=True, onnx=True)
    monkeypatch.setitem(sys.modules, "torch", torch_with(*broken))
    found = devices_data()
    assert [device["name"] for device in found["devices"][1:]] == ["Card 0", "Card 1"]
    reasons = {device["key"]: device["reason"] for device in found["devices"]}
    for key in ("cuda:0", "cuda:1"):
        wanted = f"Card {key[-1]} cannot be used: no kernel image is available." if key in broken else ""
        assert reasons[key] == wanted
    assert found["auto"] == auto
