"""Installing, removing, looking: our own files and no others, on three systems, for one user or for all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.plugin.cli.app import app
from sightmix.plugin.hosts.errors import HostError
from sightmix.plugin.hosts.resolve import commands
from sightmix.plugin.hosts.resolve import install as installing
from sightmix.plugin.hosts.resolve.doctor import examine
from sightmix.plugin.hosts.resolve.folders import Machine
from sightmix.plugin.hosts.resolve.install import MANIFEST, PANEL_SCRIPT, SCRIPT, look, uninstall
from sightmix.plugin.hosts.resolve.literals import lua_string
from sightmix.plugin.hosts.resolve.script import in_background, launcher
from sightmix.plugin.hosts.resolve.studio import Probe, connect, probe
from typer.testing import CliRunner

RESOLVE = "Blackmagic Design/DaVinci Resolve"


@pytest.fixture(autouse=True)
def panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed where this runs, the panel's window is."""
    monkeypatch.setattr(installing, "has_panel", lambda: True)


def install(here: Machine, everybody: bool = False) -> Path:
    """Install, and where the script that rebalances is."""
    return installing.install(here, everybody)[0]


def machine(system: str, root: Path) -> Machine:
    env = {
        "APPDATA": str(root / "Users/me/AppData/Roaming"),
        "LOCALAPPDATA": str(root / "Users/me/AppData/Local"),
        "PROGRAMDATA": str(root / "ProgramData"),
        "PROGRAMFILES": str(root / "Program Files"),
    }
    return Machine(system, env if system == "win32" else {}, root / "home/me", root)


SYSTEMS = ("win32", "darwin", "linux")
# Folder of scripts for one user and for all, as Resolve's own documentation lists them.
FOLDERS = {
    "win32": (f"Users/me/AppData/Roaming/{RESOLVE}/Support/Fusion/Scripts/Utility",
              f"ProgramData/{RESOLVE}/Fusion/Scripts/Utility"),
    "darwin": (f"home/me/Library/Application Support/{RESOLVE}/Fusion/Scripts/Utility",
               f"Library/Application Support/{RESOLVE}/Fusion/Scripts/Utility"),
    "linux": ("home/me/.local/share/DaVinciResolve/Fusion/Scripts/Utility", "opt/resolve/Fusion/Scripts/Utility"),
}  # fmt: skip
SCRIPTING = {
    "win32": (f"ProgramData/{RESOLVE}/Support/Developer/Scripting",
              "Program Files/Blackmagic Design/DaVinci Resolve/fusionscript.dll"),
    "darwin": (f"Library/Application Support/{RESOLVE}/Developer/Scripting",
               "Applications/DaVinci Resolve/DaVinci Resolve.app/Contents/Libraries/Fusion/fusionscript.so"),
    "linux": ("opt/resolve/Developer/Scripting", "opt/resolve/libs/Fusion/fusionscript.so"),
}  # fmt: skip


@pytest.mark.parametrize("everybody", [False, True])
@pytest.mark.parametrize("system", SYSTEMS)
def test_in_and_out_again(system: str, everybody: bool, tmp_path: Path) -> None:
    here = machine(system, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    path = install(here, everybody)
    assert path == tmp_path / FOLDERS[system][everybody] / SCRIPT
    ours = [SCRIPT] if everybody else [SCRIPT, PANEL_SCRIPT]
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([MANIFEST, *ours])
    found = look(here, everybody)
    assert (found.present, found.up_to_date) == (True, True)
    assert not look(here, not everybody).present
    install(here, everybody)
    assert uninstall(here, everybody) == tuple(path.with_name(name) for name in ours)
    assert sorted(tmp_path.rglob("*")) == before
    assert uninstall(here, everybody) == ()


def test_resolve_of_old_on_linux(tmp_path: Path) -> None:
    (tmp_path / "home/resolve").mkdir(parents=True)
    here = machine("linux", tmp_path)
    assert here.scripts(everybody=True) == tmp_path / "home/resolve/Fusion/Scripts/Utility"


def test_the_neighbours_stay(tmp_path: Path) -> None:
    here = machine("linux", tmp_path)
    folder = here.scripts()
    folder.mkdir(parents=True)
    others = {"other.lua": "print(1)", "sightmix.lua.bak": "mine", "notes.txt": ""}
    for name, text in others.items():
        (folder / name).write_text(text)
    install(here)
    uninstall(here)
    assert {p.name: p.read_text() for p in folder.iterdir()} == others


def test_somebody_elses_script_of_that_name(tmp_path: Path) -> None:
    here = machine("linux", tmp_path)
    folder = here.scripts()
    folder.mkdir(parents=True)
    (folder / SCRIPT).write_text("print('mine')")
    with pytest.raises(HostError, match="there already and not ours"):
        install(here)
    assert uninstall(here) == ()
    assert (folder / SCRIPT).read_text() == "print('mine')"
    assert not (folder / MANIFEST).exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    here = machine("linux", tmp_path)
    install(here)
    target = here.scripts() / SCRIPT
    text = target.read_text()
    elsewhere = tmp_path / "elsewhere.lua"
    elsewhere.write_text(text)
    target.unlink()
    target.symlink_to(elsewhere)
    with pytest.raises(HostError, match="not ours"):
        install(here)
    with pytest.raises(HostError, match="changed after it was installed"):
        uninstall(here)
    assert elsewhere.read_text() == text


def test_a_script_that_was_edited_stays(tmp_path: Path) -> None:
    here = machine("linux", tmp_path)
    path = install(here)
    path.write_text(path.read_text() + "-- my own line\n")
    with pytest.raises(HostError, match="changed after it was installed, so it stays"):
        uninstall(here)
    assert path.exists()
    assert not look(here).up_to_date
    install(here)
    assert look(here).up_to_date


@pytest.mark.parametrize(
    "name", ["../../../victim.txt", "/etc/victim", "..", "sub/victim.txt", MANIFEST, "", "."]
)
def test_a_manifest_that_lies(name: str, tmp_path: Path) -> None:
    """Whatever the manifest says, nothing outside its own folder is touched."""
    here = machine("linux", tmp_path)
    folder = here.scripts()
    install(here)
    victim = (folder / "../../../victim.txt").resolve()
    victim.write_text("x")
    (folder / "sub").mkdir()
    (folder / "sub/victim.txt").write_text("x")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    facts = json.loads((folder / MANIFEST).read_text()) | {
        "files": {name: digest},
        "folders": [str(tmp_path)],
    }
    (folder / MANIFEST).write_text(json.dumps(facts))
    assert uninstall(here) == ()
    assert victim.exists()
    assert (folder / "sub/victim.txt").exists()
    assert tmp_path.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "other"}', '{"schema": "sightmix.resolve-install/1"}']
)
def test_a_manifest_that_is_none(text: str, tmp_path: Path) -> None:
    here = machine("linux", tmp_path)
    path = install(here)
    (path.parent / MANIFEST).write_text(text)
    assert uninstall(here) == ()
    assert path.exists()


def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine("linux", tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(HostError, match="No space left on device; check who owns it"):
        install(here)
    assert list(here.scripts().iterdir()) == []


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(HostError, match="as an administrator, or leave --all-users away"):
        install(machine("darwin", tmp_path), everybody=True)


def test_no_appdata() -> None:
    with pytest.raises(HostError, match="APPDATA is not set"):
        install(Machine("win32", {}, Path("x"), Path("y")))


# Two entries in Resolve's menu.


def test_one_entry_rebalances_and_one_opens_the_panel(tmp_path: Path) -> None:
    here = machine("linux", tmp_path)
    paths = installing.install(here)
    assert [path.stem for path in paths] == ["sightmix", "sightmix panel"], "what the menu shows"
    quiet = "resolve = {}; bmd = {wait = function() end}; started = {}"
    ran = "os.execute = function(line) print(line) end"
    for path, command in zip(paths, ("resolve serve", "panel --resolve"), strict=True):
        said = run_alone(path.read_text(encoding="utf-8"), f"{quiet}; {ran}")
        assert said[0] == "sightmix: starting"
        assert f"-m sightmix.plugin.cli {command}" in said[1]
    # Where scripts may start nothing, they say what to type.
    said = run_alone(paths[1].read_text(encoding="utf-8"), f"{quiet}; os.execute = nil")
    assert said == ['sightmix: nobody is waiting: run "sightmix panel --resolve" in a terminal first']


def test_without_the_window_there_is_no_entry_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine("linux", tmp_path)
    paths = installing.install(here)
    monkeypatch.setattr(installing, "has_panel", lambda: False)
    assert not look(here).up_to_date
    assert installing.install(here) == paths[:1]
    assert not paths[1].exists(), "an entry that does nothing was left"
    assert look(here).up_to_date
    assert uninstall(here) == paths[:1]


def test_an_entry_that_somebody_changed_is_left_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine("linux", tmp_path)
    entry = installing.install(here)[1]
    entry.write_text(entry.read_text() + "-- my own line\n")
    monkeypatch.setattr(installing, "has_panel", lambda: False)
    installing.install(here)
    assert entry.exists()


def test_somebody_elses_entry_stops_both(tmp_path: Path) -> None:
    here = machine("linux", tmp_path)
    folder = here.scripts()
    folder.mkdir(parents=True)
    (folder / PANEL_SCRIPT).write_text("print('mine')")
    with pytest.raises(HostError, match="there already and not ours"):
        install(here)
    assert [path.name for path in folder.iterdir()] == [PANEL_SCRIPT]


# The script's text.


@pytest.mark.parametrize("everybody", [False, True])
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_script_is_lua(system: str, everybody: bool, tmp_path: Path) -> None:
    text = install(machine(system, tmp_path), everybody).read_text(encoding="utf-8")
    assert "@" not in text.split("------", 1)[0], "a mark was not filled in"
    for name in ("lua51", "luajit21"):
        runtime = pytest.importorskip(f"lupa.{name}").LuaRuntime()
        load = runtime.eval("function(text) local f, e = loadstring(text) return f ~= nil, e end")
        assert load(text)[0] is True, load(text)[1]


@given(st.text())
def test_any_text_becomes_a_lua_string(text: str) -> None:
    clean = text.encode("utf-8", "replace").decode()
    lua = pytest.importorskip("lupa.lua51").LuaRuntime(encoding=None)
    assert lua.execute(b"return " + lua_string(clean).encode()) == clean.encode()


def test_how_sightmix_is_started() -> None:
    assert in_background((), "linux") == ""
    assert in_background(["/a b/python", "-m", "x'y"], "linux").startswith("'/a b/python' -m ")
    assert in_background(["/a b/python"], "linux").endswith(" >/dev/null 2>&1 &")
    assert (
        in_background([r"C:\a b\python.exe", "-m", "x"], "win32")
        == r'start "sightmix" /min "C:\a b\python.exe" -m x'
    )


def test_a_shared_script_starts_nothing(tmp_path: Path) -> None:
    assert 'local COMMAND = ""' in launcher(None)
    assert 'local COMMAND = ""' not in install(machine("linux", tmp_path)).read_text()


def run_alone(code: str, setup: str) -> list[str]:
    lua = pytest.importorskip("lupa.lua51").LuaRuntime()
    said: list[str] = []
    lua.globals().print = lambda *words: said.append(" ".join(str(w) for w in words))
    lua.execute(setup)
    lua.execute(code)
    return said


@pytest.mark.parametrize("interpreter", ["lua5.1", "luajit"])
def test_the_interpreters_themselves(interpreter: str, tmp_path: Path) -> None:
    if shutil.which(interpreter) is None:
        pytest.skip(f"{interpreter} is not installed")
    path = install(machine("linux", tmp_path))
    done = subprocess.run([interpreter, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "sightmix: run this inside DaVinci Resolve\n"


def test_the_script_alone(tmp_path: Path) -> None:
    """Outside Resolve, and in it when nobody waits; where it may, it starts sightmix."""
    text = launcher(tmp_path)
    assert run_alone(text, "resolve = nil") == ["sightmix: run this inside DaVinci Resolve"]
    quiet = "resolve = {}; bmd = {wait = function() end}"
    assert "nobody is waiting" in run_alone(text, quiet)[0]
    ran = "started = {}; os.execute = function(line) started[#started + 1] = line end"
    said = run_alone(launcher(tmp_path, ["python", "-m", "x"], "linux"), f"{quiet}; {ran}")
    assert said[0] == "sightmix: starting"
    (tmp_path / "session.lua").write_text("return os.execute('boom')")
    assert "nobody is waiting" in run_alone(text, f"{quiet}; {ran}")[-1]


# The doctor, and Studio's road.


def with_resolve(system: str, root: Path, module: str = "") -> Machine:
    here = machine(system, root)
    api, library = (root / part for part in SCRIPTING[system])
    (api / "Modules").mkdir(parents=True)
    library.parent.mkdir(parents=True)
    library.write_text("")
    if module:
        (api / "Modules" / "DaVinciResolveScript.py").write_text(module)
    return here


def studio_module() -> str:
    tests = Path(__file__).parent
    return (
        f"import sys\nsys.path.insert(0, {str(tests)!r})\nfrom fake_resolve import FakeResolve\n"
        "def scriptapp(name, *more):\n    return FakeResolve() if name == 'Resolve' else None\n"
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_where_the_scripting_files_are(system: str, tmp_path: Path) -> None:
    here = machine(system, tmp_path)
    assert here.script_api == tmp_path / SCRIPTING[system][0]
    assert here.script_library == tmp_path / SCRIPTING[system][1]
    variables = here.script_environment()
    assert str(here.script_api / "Modules") in variables["PYTHONPATH"]
    assert ("FUSION_PYTHON3_HOME" in variables) == (system == "win32")
    other = Machine(
        system, dict(here.env) | {"RESOLVE_SCRIPT_API": "/api", "RESOLVE_SCRIPT_LIB": "/lib"}, here.home
    )
    assert (other.script_api, other.script_library) == (Path("/api"), Path("/lib"))


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_is_here(system: str, tmp_path: Path) -> None:
    findings = examine(machine(system, tmp_path))
    assert findings.road == "files"
    assert "not installed here, or it came from an app store" in findings.notes[0]
    assert "sightmix resolve install" in findings.notes[-2]
    assert findings.notes[-1].startswith("Road: files.")


def test_studio_lets_us_in(tmp_path: Path) -> None:
    """The module is loaded in a process of its own, for real."""
    findings = examine(with_resolve("linux", tmp_path, studio_module()))
    assert (findings.road, findings.edition, findings.version) == (
        "python",
        "DaVinci Resolve Studio",
        "21.1.0.14",
    )
    assert findings.studio
    assert findings.notes[0] == "DaVinci Resolve Studio 21.1.0.14 is running and lets programs in."
    assert findings.notes[-1].startswith("Road: Python.")


@pytest.mark.parametrize(
    ("module", "sentence", "facts"),
    [
        (
            "def scriptapp(*_):\n    return None\n",
            "It is not running, or it is the free edition",
            (False, ""),
        ),
        ("raise RuntimeError('wrong Python')\n", "cannot be used: RuntimeError: wrong Python.", (False, "")),
        ("import os\nos.abort()\n", "brought down the process that loaded it", (True, "")),
        ("def scriptapp(*_):\n    import os\n    os._exit(3)\n", "brought down the process", (True, "")),
        ("", "cannot be used: ModuleNotFoundError", (False, "")),
    ],
)
def test_studio_does_not(module: str, sentence: str, facts: tuple[bool, str], tmp_path: Path) -> None:
    here = with_resolve("linux", tmp_path, module)
    findings = examine(here)
    assert any(sentence in note for note in findings.notes), findings.notes
    assert findings.road == "files"
    found = probe(here)
    assert (found.crashed, found.product) == facts
    install(here)
    assert examine(here).road == "script"


def test_a_module_that_never_answers(tmp_path: Path) -> None:
    found = probe(with_resolve("linux", tmp_path, "import time\ntime.sleep(60)\n"), seconds=0.5)
    assert not found.works
    assert found.error.startswith("no answer in")


def test_python_too_new_for_windows(tmp_path: Path) -> None:
    here = with_resolve("win32", tmp_path)
    findings = examine(here, lambda _: Probe("3.13.1", module=True))
    assert any("3.10 to 3.12 are safer" in note for note in findings.notes)
    assert not any("safer" in n for n in examine(here, lambda _: Probe("3.12.1", module=True)).notes)


@pytest.fixture
def own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.delitem(sys.modules, "DaVinciResolveScript", raising=False)


@pytest.mark.usefixtures("own_modules")
def test_the_connection_itself(tmp_path: Path) -> None:
    root = connect(with_resolve("linux", tmp_path, studio_module()))
    assert root.GetProductName() == "DaVinci Resolve Studio"
    assert root.GetProjectManager().GetCurrentProject().GetName() == "Film"
    assert "OpenPage" in dir(root)
    with pytest.raises(AttributeError):
        root.Quit()
    sys.modules.pop("DaVinciResolveScript")


@pytest.mark.usefixtures("own_modules")
@pytest.mark.parametrize(
    ("module", "sentence"),
    [("def scriptapp(*_):\n    return None\n", "set External scripting to Local"), ("", "cannot be loaded")],
)
def test_no_connection(module: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=sentence):
        connect(with_resolve("linux", tmp_path, module))
    sys.modules.pop("DaVinciResolveScript", None)


# The commands.


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine("linux", tmp_path)
    monkeypatch.setattr(commands, "Machine", lambda: here)
    monkeypatch.setattr("sightmix.plugin.hosts.resolve.folders.Machine", lambda: here)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["resolve", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert f"Installed {here.scripts() / SCRIPT}." in run("install")
    assert "The script is installed in" in run("doctor")
    facts = json.loads(run("doctor", "--json"))
    assert (facts["schema"], facts["road"]) == ("sightmix.doctor/1", "script")
    assert facts["scripts"][0] == {"folder": str(here.scripts()), "present": True, "up_to_date": True}
    assert f"Removed {here.scripts() / SCRIPT}." in run("uninstall")
    assert run("uninstall") == "Nothing of ours is installed there.\n"
    assert run("install", "--all-users").startswith(f"Installed {tmp_path}/opt/resolve/")
    run("uninstall", "--all-users")


def test_serve_writes_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine("linux", tmp_path)
    monkeypatch.setattr(commands, "Machine", lambda: here)
    monkeypatch.setattr(commands, "SERVE_WAIT", 0.2)
    done = CliRunner().invoke(app, ["resolve", "serve", "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "Nothing came from Resolve" in (here.data / "resolve.log").read_text()
