"""Who is let in: the bridge and the mailbox against strangers, liars and the dead."""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_resolve import FakeResolve
from host_helpers import LONG, FakeFusion, Script
from sightmix.plugin.hosts.errors import HostError, HostGoneError
from sightmix.plugin.hosts.resolve.bridge import ADDRESS, LARGEST, PATH
from sightmix.plugin.hosts.resolve.broker import PROTOCOL, Broker, Refused
from sightmix.plugin.hosts.resolve.calls import Gate
from sightmix.plugin.hosts.resolve.literals import from_hex, lua_message, lua_string
from sightmix.plugin.hosts.resolve.session import RENDEZVOUS, Session

HELLO = {"client": "me", "hello": {"protocol": PROTOCOL}}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "work").mkdir()
    with Session(tmp_path / "meet", tmp_path / "work") as made:
        made.farewell = 0.3
        yield made


def post(
    session: Session, data: Any = HELLO, method: str = "POST", path: str = PATH, **changes: str | None
) -> tuple[int, dict[str, Any]]:
    """Send a request that is right but for `changes` of its headers; returns status and answer."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    headers: dict[str, str | None] = {
        "Host": f"{ADDRESS}:{session.port}",
        "Authorization": f"Bearer {session.token}",
        "Content-Length": str(len(body)),
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    connection = http.client.HTTPConnection(ADDRESS, session.port, timeout=LONG)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text.startswith(b"{") else {}
    finally:
        connection.close()


def test_the_right_one_comes_in(session: Session) -> None:
    assert post(session) == (200, {"call": None})
    assert session.broker.client == "me"


@pytest.mark.parametrize(
    "token", ["", "Bearer ", "Bearer wrong", "Bearer " + "0" * 64, "Basic abc", "Bearer é", None]
)
def test_a_wrong_token(token: str | None, session: Session) -> None:
    assert post(session, Authorization=token) == (403, {})
    assert session.broker.client == ""


def test_half_a_token(session: Session) -> None:
    assert post(session, Authorization=f"Bearer {session.token[:-1]}")[0] == 403
    assert post(session, Authorization=session.token)[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "[::1]", "", None])
def test_another_host_header(host: str | None, session: Session) -> None:
    """A web page that had its own name point to this machine comes with that name."""
    assert post(session, Host=host) == (403, {})
    if host and ":" not in host:
        assert post(session, Host=f"{host}:{session.port}")[0] == (200 if host == ADDRESS else 403)


def test_two_host_headers(session: Session) -> None:
    head = f"POST {PATH} HTTP/1.0\r\nHost: {ADDRESS}:{session.port}\r\nHost: evil.example\r\n"
    with socket.create_connection((ADDRESS, session.port), LONG) as raw:
        raw.sendall(f"{head}Authorization: Bearer {session.token}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        assert b" 403 " in raw.recv(100)


def test_browsers_are_kept_out(session: Session) -> None:
    assert post(session, Origin="http://127.0.0.1") == (403, {})
    assert post(session, Origin="null") == (403, {})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT"])
def test_other_methods(method: str, session: Session) -> None:
    assert post(session, method=method)[0] == 501


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/next/", "/v1/../v1/next", "/v1/next?x=1", "/../../etc/passwd", "http://evil.example/v1/next"],
)
def test_other_paths(path: str, session: Session) -> None:
    assert post(session, path=path)[0] == 404


@pytest.mark.parametrize(
    "length", [str(LARGEST + 1), "9" * 30, "9" * 5000, "0" * 5000, "-1", "+5", "0x10", "ten", "", "٣", None]
)
def test_a_body_too_long_or_of_no_length(length: str | None, session: Session) -> None:
    big = length is not None and length.isascii() and length.isdecimal()
    status, _ = post(session, Content_Length=length.encode().decode("latin-1") if length else length)
    assert status == (413 if big else 411)
    assert session.broker.client == ""


@pytest.mark.parametrize(
    "body", [b"", b"no", b"[1]", b'"x"', b"\xff\xfe", b"{" * 100, b"[" * 100_000, b"null"]
)
def test_a_body_that_is_nothing(body: bytes, session: Session) -> None:
    assert post(session, body)[0] == 400
    assert post(session)[0] == 200


@pytest.mark.parametrize("client", [None, 5, "", "x" * 65, ["me"]])
def test_no_name(client: object, session: Session) -> None:
    assert post(session, {"client": client, "hello": {"protocol": PROTOCOL}})[0] == 400


def test_a_script_of_another_version(session: Session) -> None:
    status, told = post(session, {"client": "me", "hello": {"protocol": PROTOCOL + 1}})
    assert status == 426
    assert "sightmix resolve install" in told["error"]


def test_two_clients(session: Session) -> None:
    assert post(session)[0] == 200
    status, told = post(session, HELLO | {"client": "other"})
    assert (status, told["error"]) == (409, "another script is connected")
    assert session.broker.client == "me"
    assert session.broker.refused == 1


def test_two_scripts_in_resolve(session: Session) -> None:
    resolve = FakeResolve()
    first = Script("luajit21", resolve, session.folder, False)
    root = session.connect(LONG)
    second = Script("luajit21", resolve, session.folder, False)
    assert second.join() == ["sightmix: another script is connected", "sightmix: done"]
    third = Script("luajit21", resolve, session.folder, True, FakeFusion(None))
    assert third.join() == ["sightmix: another script is connected", "sightmix: done"]
    assert root.GetCurrentPage() == "edit"
    session.__exit__(None, None, None)
    assert first.join() == ["sightmix: done"]


def test_only_this_machine_is_listened_to(session: Session) -> None:
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {ADDRESS}:
        if str(address).startswith("127."):
            continue
        with (
            pytest.raises(OSError, match=r"refused|timed out|unreach"),
            socket.create_connection((str(address), session.port), 1),
        ):
            pass


def test_what_lies_in_the_folder_is_for_its_owner(session: Session) -> None:
    assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700
    looked(session)
    for path in session.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    facts = from_hex((session.folder / RENDEZVOUS).read_text().split('"')[1])
    assert facts["token"] == session.token
    assert len(session.token) == 64


def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "meet").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostError, match="not a folder of your own"), Session(tmp_path / "meet", tmp_path):
        pass


def test_a_folder_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "meet").mkdir(mode=0o755)
    with Session(tmp_path / "meet", tmp_path):
        assert stat.S_IMODE((tmp_path / "meet").stat().st_mode) == 0o700


def test_one_session_at_a_time(session: Session) -> None:
    with pytest.raises(HostError, match="Another sightmix"), Session(session.folder, session.work):
        pass
    assert post(session)[0] == 200


@pytest.mark.parametrize("age", [60, -60, -10 * 365 * 86400])
def test_the_session_of_a_dead_one_is_taken_over(age: float, tmp_path: Path) -> None:
    """Also one from the future: the clock was set back since."""
    (tmp_path / "meet").mkdir()
    left = tmp_path / "meet" / RENDEZVOUS
    left.write_text("return ''")
    os.utime(left, (time.time() - age, time.time() - age))
    with Session(tmp_path / "meet", tmp_path) as session:
        assert post(session)[0] == 200
    assert list((tmp_path / "meet").iterdir()) == []


def test_no_port_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object) -> None:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    monkeypatch.setattr("socketserver.TCPServer.server_bind", taken)
    with pytest.raises(HostError, match="No port of 127"), Session(tmp_path / "meet", tmp_path):
        pass
    assert list((tmp_path / "meet").iterdir()) == []


def test_a_folder_in_the_place_of_the_session_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "meet" / RENDEZVOUS / "x").mkdir(parents=True)
    os.utime(tmp_path / "meet" / RENDEZVOUS, (0, 0))
    with pytest.raises(HostError, match="cannot be written"), Session(tmp_path / "meet", tmp_path):
        pass


def test_a_caller_who_hangs_up_is_not_told_of_on_the_terminal(
    session: Session, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("sightmix.plugin.hosts.resolve.bridge._Handler._send", gone)
    with pytest.raises((http.client.HTTPException, OSError)):
        post(session)
    monkeypatch.undo()
    assert post(session)[0] == 200
    assert capfd.readouterr().err == ""


# The mailbox.


def reply(session: Session, word: str = "", **more: Any) -> None:
    """Someone writes a reply into the mailbox."""
    message = {"client": "me", "seq": 1, "word": word or session._greeting} | more
    (session.folder / "reply.txt").write_text(json.dumps(message).encode().hex())
    looked(session)


def looked(session: Session) -> None:
    """Wait until the mailbox has gone through all that lies there now: the round after the one it is in."""
    mailbox, rounds = session._mailbox, threading.Semaphore(0)
    assert mailbox is not None
    write = mailbox._write

    def counted() -> None:
        write()
        rounds.release()

    mailbox._write = counted  # type: ignore[method-assign]
    for _ in range(2):
        assert rounds.acquire(timeout=LONG)
    mailbox._write = write  # type: ignore[method-assign]


def test_a_reply_without_the_word(session: Session) -> None:
    hello = {"protocol": PROTOCOL}
    reply(session, "0" * 32, hello=hello)
    assert (session.broker.client, session.broker.refused) == ("", 1)
    reply(session, session.token, hello=hello, seq=2)
    assert (session.broker.client, session.broker.refused) == ("", 2)
    reply(session, hello=hello, seq=3)
    assert session.broker.client == "me"


@pytest.mark.parametrize("content", [b"", b"zz", b"00", b"\xff" * 50, b"[" * 9, b'return os.execute("x")'])
def test_a_reply_that_is_nothing(content: bytes, session: Session) -> None:
    (session.folder / "reply.txt").write_bytes(content)
    looked(session)
    reply(session, hello={"protocol": PROTOCOL})
    assert session.broker.client == "me"


def test_a_reply_too_long(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sightmix.plugin.hosts.resolve.mailbox.LARGEST", 100)
    reply(session, hello={"protocol": PROTOCOL, "padding": "x" * 100})
    assert session.broker.client == ""


def test_a_reply_to_an_earlier_call_is_worth_nothing(session: Session) -> None:
    reply(session, hello={"protocol": PROTOCOL})
    with pytest.raises(HostGoneError):
        call_briefly(session.broker)
    reply(session, seq=9, id=1, ok=True, value="late")
    assert session.broker.waiting is None


def call_briefly(broker: Broker) -> Any:
    """A call that gives up after a moment."""
    start = time.monotonic()
    broker.clock = lambda: time.monotonic() + (10_000 if time.monotonic() - start > 0.3 else 0)
    try:
        return broker.call(op="call", on=0, method="GetCurrentPage", args=[])
    finally:
        broker.clock = time.monotonic


def test_what_lua_is_given_is_data(tmp_path: Path) -> None:
    nasty = '"]]--\n\\ "..os.execute("x").." é\0'
    lua = pytest.importorskip("lupa.lua51").LuaRuntime(encoding=None)
    assert lua.execute(f"return {lua_string(nasty)}".encode()) == nasty.encode()
    assert from_hex(lua.execute(lua_message({"a": nasty}).encode()).decode()) == {"a": nasty}


# Gone mid-way.


@pytest.mark.parametrize("sandboxed", [False, True])
def test_resolve_is_closed_mid_way(sandboxed: bool, session: Session) -> None:
    script = Script("luajit21", FakeResolve(), session.folder, sandboxed, FakeFusion(None))
    root = session.connect(LONG)
    assert root.GetCurrentPage() == "edit"
    script.kill()
    start = time.monotonic()
    session.broker.clock = lambda: start + (time.monotonic() - start) * 10_000
    with pytest.raises(HostGoneError, match="has stopped answering"):
        root.GetCurrentPage()
    session.broker.clock = time.monotonic
    # Resolve is started again, and the script chosen again.
    Script("luajit21", FakeResolve(), session.folder, sandboxed, FakeFusion(None))
    assert session.connect(LONG).GetCurrentPage() == "edit"


@pytest.mark.parametrize("sandboxed", [False, True])
def test_this_side_is_lost_mid_way(sandboxed: bool, tmp_path: Path) -> None:
    """The script sees that nobody is there any more, and removes the copy that was being worked on."""
    resolve = FakeResolve()
    (tmp_path / "work").mkdir()
    before = resolve.first.state()
    with Session(tmp_path / "meet", tmp_path / "work") as session:
        script = Script("luajit21", resolve, session.folder, sandboxed, FakeFusion(None), lost=60)
        root = session.connect(LONG)
        project = root.GetProjectManager().GetCurrentProject()
        original = project.GetCurrentTimeline()
        copy = original.DuplicateTimeline("half done")
        session.guard(copy, original)
        project.SetCurrentTimeline(copy)
        assert len(resolve.project.timelines) == 2
    # Left without a word, as after a crash.
    script.hurry()
    said = script.join()
    assert any("unfinished copy was removed" in line for line in said), said
    assert resolve.project.timelines == [resolve.first]
    assert resolve.project.current is resolve.first
    assert resolve.first.state() == before


def test_a_finished_copy_stays(tmp_path: Path) -> None:
    resolve = FakeResolve()
    (tmp_path / "work").mkdir()
    with Session(tmp_path / "meet", tmp_path / "work") as session:
        script = Script("luajit21", resolve, session.folder, False)
        original = session.connect(LONG).GetProjectManager().GetCurrentProject().GetCurrentTimeline()
        copy = original.DuplicateTimeline("done")
        session.guard(copy, original)
        session.release()
    script.join()
    assert [t.name for t in resolve.project.timelines] == ["Cut 1", "done"]


# The rules on their own.


def test_a_broker_that_is_closed_lets_nobody_in() -> None:
    broker = Broker()
    broker.close()
    with pytest.raises(Refused) as refusal:
        broker.exchange("me", {"hello": {"protocol": PROTOCOL}}, polls=True)
    assert refusal.value.status == 410
    with pytest.raises(HostGoneError):
        broker.call(op="bye")


def test_a_polling_client_that_fell_silent_makes_room() -> None:
    now = [0.0]
    broker = Broker(gone_after=10, clock=lambda: now[0])
    hello = {"hello": {"protocol": PROTOCOL}}
    broker.exchange("one", hello, polls=True)
    now[0] = 5
    with pytest.raises(Refused):
        broker.exchange("two", hello, polls=True)
    now[0] = 20
    broker.exchange("two", hello, polls=True)
    assert broker.client == "two"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x.wav",
        "{work}/../x.wav",
        "{work}x/y.wav",
        "",
        "x.wav",
        "{work}/link/y.wav",
        None,
        5,
    ],
)
def test_paths_outside(path: object, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "link").symlink_to(tmp_path)
    given = path.format(work=work) if isinstance(path, str) else path
    gate = Gate(work)
    with pytest.raises(HostError, match="outside"):
        gate.check("MediaPool", "ImportMedia", [[str(work / "fine.wav"), given]])
    assert gate.check("MediaPool", "ImportMedia", [[str(work / "fine.wav")]]) == "MediaPoolItem*"


@pytest.mark.parametrize(
    ("kind", "method"),
    [("Timeline", "SetVoiceIsolationState"), ("Project", "StartRendering"), ("Nothing", "GetName"),
     ("ProjectManager", "SaveProject"), ("Timeline", "__class__"), ("MediaPool", "ImportTimelineFromFile")],
)  # fmt: skip
def test_calls_not_in_the_table(kind: str, method: str, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="does not call"):
        Gate(tmp_path).check(kind, method, [])
