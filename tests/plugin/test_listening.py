"""The ear that a timeline is lent: a network when first asked, no sound heard twice, nothing of clips without any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from job_helpers import three_clips
from sightmix.engine.edit.categories import Category
from sightmix.engine.highlight import ear
from sightmix.engine.passage import Sound
from sightmix.engine.progress import Progress, Step
from sightmix.plugin.jobs import listening
from sightmix.plugin.jobs.listening import Listener
from sightmix.plugin.timeline.source import open_source


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[Sound], Any]]:
    calls: list[tuple[Sequence[Sound], Any]] = []

    def hear(sounds: Sequence[Sound], network: Any, _: Progress) -> Category:
        calls.append((sounds, network))
        return Category("music", "ear", 0.9, "heard")

    monkeypatch.setattr(ear, "heard_category", hear)
    monkeypatch.setattr(listening, "shipped_network", lambda: "shipped")
    return calls


def test_sounds_are_heard_once_by_one_network(
    tmp_path: Path, asked: list[tuple[Sequence[Sound], Any]]
) -> None:
    opened: list[str] = []
    steps: list[Step] = []
    timeline, _ = open_source(three_clips(tmp_path))
    listener = Listener(Progress(steps.append), lambda: opened.append("lent") or "lent")  # type: ignore[arg-type]
    assert not opened
    for clips in (timeline.clips, timeline.clips, timeline.clips[:1]):
        assert listener(clips).kind == "music"
    assert opened == ["lent"]
    assert [network for _, network in asked] == ["lent", "lent"]
    # One stretch of a file is one sound, however many clips play it.
    paths = [
        [(sound.path.name, float(sound.start), float(sound.duration)) for sound in sounds]
        for sounds, _ in asked
    ]
    assert paths[0] == list(dict.fromkeys(paths[0]))
    assert {name for name, *_ in paths[0]} == {"loud.wav", "soft.wav"}
    assert len(paths[1]) == 1
    assert [(step.stage, step.done) for step in steps] == [("listen", 0), ("listen", 1)] * 2


def test_the_shipped_model_unless_another_is_lent(
    tmp_path: Path, asked: list[tuple[Sequence[Sound], Any]]
) -> None:
    timeline, _ = open_source(three_clips(tmp_path))
    Listener(Progress())(timeline.clips)
    assert asked[0][1] == "shipped"
