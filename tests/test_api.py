"""The public Python interface, and the examples of its documentation, run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sightmix

sys.path.insert(0, str(Path(__file__).parent / "plugin"))
from job_helpers import three_clips

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "api.md"


def test_the_examples_of_the_guide_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    three_clips(tmp_path).rename(tmp_path / "cut.otio")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 6
    names: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, str(GUIDE), "exec"), names)
    assert names["result"].out.is_file()
    assert names["done"].files[0].is_file()
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"event')]
    assert [events[0]["event"], events[-1]["event"]] == ["accepted", "finished"]


def test_a_name_that_is_no_setting_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(sightmix.SightmixError, match=r"no setting 'strenght'.*strength"):
        sightmix.rebalance(three_clips(tmp_path), tmp_path / "out.otio", strenght=1.0)
    with pytest.raises(sightmix.SightmixError, match=r"no option of stems 'projekt'.*project"):
        sightmix.export(three_clips(tmp_path), tmp_path, "stems", projekt="x")


def test_inspect_listens_only_if_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sightmix.engine.edit.categories import Category
    from sightmix.plugin.jobs.listening import Listener

    monkeypatch.setattr(Listener, "__call__", lambda *_: Category("music", "ear", 0.9, "music is heard"))
    kinds = [
        sightmix.inspect(three_clips(tmp_path), listen=listen)["tracks"][0]["category"]
        for listen in (False, True)
    ]
    assert [category["kind"] for category in kinds] == [None, "music"]


def test_importing_it_costs_nothing() -> None:
    code = "import sys, sightmix; print([m for m in ('numpy', 'av', 'torch', 'opentimelineio') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_it_says_what_it_has() -> None:
    assert set(sightmix.__all__) <= set(dir(sightmix))
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'"):
        _ = sightmix.nothing


def test_the_guide_has_every_event() -> None:
    from sightmix.plugin.jobs import events

    kinds = {
        kind.kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.Event) and kind.kind
    }
    listed = re.findall(r"^\| `([a-z]+)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(listed) == kinds
    for name in sightmix.__all__:
        assert getattr(sightmix, name) is not None
