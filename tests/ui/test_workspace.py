from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.plugin.jobs.hand import Drawn
from sightmix.ui.base.source import Source
from sightmix.ui.control.workspace import Workspace, Workspaces

times = st.lists(st.floats(0, 7200), min_size=2, max_size=6, unique=True).map(sorted)
drawn = st.builds(
    lambda stem, when: Drawn(stem, tuple(when), tuple(-float(i) for i in range(len(when)))),
    st.sampled_from(["speech", "music", "effects"]),
    times,
)


@given(st.lists(drawn, max_size=4), st.floats(0, 1e5))
def test_a_workspace_comes_back_as_it_was_kept(curves: list[Drawn], position: float) -> None:
    kept = Workspace(tuple(curves), {"strength": 0.5}, Path("/a/b c.otio"), Path("/a/m.npz"), position)
    assert Workspace.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept


def test_every_timeline_has_a_workspace_of_its_own(tmp_path: Path) -> None:
    spaces = Workspaces(tmp_path / "w")
    one, other = Source(Path("/x/cut.otio"), "1"), Source(Path("/x/cut.otio"), "2")
    spaces.write(one, Workspace(position=3.0))
    assert spaces.trouble == ""
    assert spaces.read(one).position == 3.0
    assert spaces.read(other) == Workspace()
    assert [path.suffix for path in (tmp_path / "w").iterdir()] == [".json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": "other/1"}', b"\xff\xfe"])
def test_a_workspace_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    spaces, source = Workspaces(tmp_path), Source(Path("/x/cut.otio"))
    spaces.write(source, Workspace(position=3.0))
    next(tmp_path.iterdir()).write_bytes(content)
    assert spaces.read(source) == Workspace()


def test_where_nothing_can_be_written_that_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("in the way")
    spaces = Workspaces(tmp_path / "w")
    spaces.write(Source(Path("/x/cut.otio")), Workspace(position=3.0))
    assert "cannot be written" in spaces.trouble
    assert (tmp_path / "w").read_text() == "in the way"


def test_without_a_folder_nothing_is_kept() -> None:
    spaces = Workspaces(None)
    spaces.write(Source(Path("/x/cut.otio")), Workspace(position=3.0))
    assert spaces.read(Source(Path("/x/cut.otio"))) == Workspace()
