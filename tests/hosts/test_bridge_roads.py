"""The script in a real Lua reaches the fake Resolve for us: over HTTP, over files, over Fusion's preferences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_resolve import FakeResolve
from host_helpers import LONG, RUNTIMES, FakeFusion, Script
from sightmix.plugin.hosts.errors import HostError
from sightmix.plugin.hosts.resolve.remote import gather
from sightmix.plugin.hosts.resolve.session import Session


@pytest.fixture
def resolve() -> FakeResolve:
    fake = FakeResolve()
    fake.first.put("audio", 2, "Interview ü “1”", 10, 48)
    fake.first.otio = "{}"
    return fake


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    work = tmp_path / "work with spaces"
    work.mkdir()
    with Session(tmp_path / "meet", work, [tmp_path / "Fusion.prefs"]) as made:
        yield made


def use(session: Session, fake: FakeResolve) -> None:
    """A little of everything: values, objects, lists, text that is not ASCII, constants, paths."""
    root = session.connect(LONG)
    assert root.GetProductName() == "DaVinci Resolve Studio"
    project = root.GetProjectManager().GetCurrentProject()
    timeline = project.GetCurrentTimeline()
    assert timeline.GetStartFrame() == 86400
    assert isinstance(timeline.GetStartFrame(), int)
    assert timeline.GetItemListInTrack("audio", 1) == []
    [item] = timeline.GetItemListInTrack("audio", 2)
    assert item.GetName() == "Interview ü “1”"
    assert item.GetMediaPoolItem() is None
    names = [(timeline, "GetTrackName", ("audio", i)) for i in (1, 2, 9)]
    assert gather([*names, (item, "GetStart", ()), (item, "GetMediaPoolItem", ())]) == [
        "Audio 1",
        "Audio 2",
        None,
        86410,
        None,
    ]
    assert gather([]) == []
    assert timeline.AddTrack("audio", {"audioType": "5.1"}) is True
    assert timeline.GetTrackSubType("audio", 3) == "5.1"
    assert timeline.SetTrackName("audio", 3, 'a "b"\n\\ é 😀 [[x]]')
    assert fake.first.tracks["audio"][2].name == 'a "b"\n\\ é 😀 [[x]]'
    out = session.work / "é.otio"
    assert timeline.Export(str(out), root.EXPORT_OTIO) is True
    assert out.read_text() == "{}"
    copy = timeline.DuplicateTimeline("two")
    assert project.SetCurrentTimeline(copy) is True
    assert project.GetCurrentTimeline().GetName() == "two"


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("how", ["open", "sandbox", "sandbox, own prefs only"])
def test_every_way_through(
    runtime: str, how: str, session: Session, resolve: FakeResolve, tmp_path: Path
) -> None:
    fusion = FakeFusion(tmp_path / "Fusion.prefs", named=how == "sandbox")
    script = Script(runtime, resolve, session.folder, how != "open", fusion)
    use(session, resolve)
    expected = "http" if runtime == "luajit21" and how == "open" else "mailbox"
    assert session.greeting["transport"] == expected
    assert session.greeting["version"] == "21.1.0.14"
    assert (fusion.saves > 0) == (how != "open")
    session.__exit__(None, None, None)
    assert script.join() == ["sightmix: done"]
    assert list(session.folder.iterdir()) == []
    if how != "open":
        assert fusion.prefs["Global.Sightmix.SightmixReply"] == ""


@pytest.mark.parametrize("sandboxed", [False, True])
def test_the_script_itself_refuses(
    sandboxed: bool, session: Session, resolve: FakeResolve, tmp_path: Path
) -> None:
    """Whatever this side asks, the script does only what is in its list, and only inside the session's folder."""
    Script("luajit21", resolve, session.folder, sandboxed, FakeFusion(None))
    root = session.connect(LONG)
    timeline = root.GetProjectManager().GetCurrentProject().GetCurrentTimeline()
    enum = {"enum": "EXPORT_OTIO"}

    def ask(method: str, *args: object, on: int = timeline.handle, op: str = "call") -> str:
        with pytest.raises(HostError) as caught:
            session.broker.call(op=op, on=on, method=method, args=list(args))
        return str(caught.value)

    work = session.work.resolve()
    for path in (tmp_path / "x.otio", f"{work}/../x.otio", f"{work}x/y.otio", "", "relative.otio", work):
        assert "outside the session folder" in ask("Export", str(path), enum)
    assert "no path" in ask("Export")
    assert "not in the list" in ask("SetVoiceIsolationState", 1, {"isEnabled": True})
    assert "not in the list" in ask("__index")
    assert "not in the list" in ask("GetName", on=999)
    assert "constant nobody knows" in ask("Export", f"{work}/x.otio", {"enum": "EXPORT_DRT"})
    assert "object nobody knows" in ask("DeleteClips", [{"$": 77}])
    assert "operation nobody knows" in ask("x", op="eval")
    assert not (tmp_path / "x.otio").exists()


def test_this_side_refuses_too(session: Session, resolve: FakeResolve, tmp_path: Path) -> None:
    Script("luajit21", resolve, session.folder, False)
    root = session.connect(LONG)
    pool = root.GetProjectManager().GetCurrentProject().GetMediaPool()
    with pytest.raises(HostError, match="outside"):
        pool.ImportMedia([str(tmp_path / "x.wav")])
    link = session.work / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(HostError, match="outside"):
        pool.ImportMedia([str(link / "x.wav")])
    with pytest.raises(HostError, match="outside"):
        gather([(pool, "ImportMedia", ([str(tmp_path / "x.wav")],))])
    with pytest.raises(HostError, match="not in the list"):
        session.broker.call(op="many", calls=[{"on": 0, "method": "Quit", "args": []}])
    with pytest.raises(AttributeError):
        pool.RelinkClips([], "x")
    assert "ImportMedia" in dir(pool)
    assert ("MediaPool", "ImportMedia", ()) not in [(k, m, ()) for k, m, _ in resolve.world.log]
