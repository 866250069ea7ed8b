"""What all tests of hosts share: a machine may be slow, and none of them passes or fails by that."""

from __future__ import annotations

import pytest
from host_helpers import LONG
from sightmix.plugin.hosts.resolve import broker, studio


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every reply, script and probe as long as it takes; tests of silence turn the clock instead."""
    monkeypatch.setattr(broker, "_QUICK", LONG)
    monkeypatch.setattr(broker, "_SLOW", LONG)
    first, *others = broker.Broker.__init__.__defaults__ or ()
    assert first == broker.Broker.gone_after
    monkeypatch.setattr(broker.Broker.__init__, "__defaults__", (LONG, *others))
    monkeypatch.setattr(studio.probe, "__defaults__", (LONG,))
