"""Starting the panel: what it is given, what is missing said in one sentence, the window there before the engine."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from sightmix.plugin.cli import app as cli
from sightmix.ui.window import app, given, start

ROOT = Path(__file__).parent.parent.parent


def test_what_it_is_given(tmp_path: Path) -> None:
    assert given.parse([]) == given.Given()
    found = given.parse([str(tmp_path / "a.otio"), "--theme", "light", "--language", "de", "--debug"])
    assert found == given.Given(tmp_path / "a.otio", theme="light", language="de", debug=True)
    assert given.parse(["--resolve"]).resolve
    assert given.parse(["--demo"]).demo
    with pytest.raises(SystemExit):
        given.parse(["--theme", "pink"])


# What is missing


@pytest.mark.parametrize(
    ("error", "library", "package"),
    [
        ("libEGL.so.1: cannot open shared object file: No such file or directory", "libEGL", "libegl1"),
        (
            "libxcb-cursor.so.0: cannot open shared object file: No such file",
            "libxcb-cursor",
            "libxcb-cursor0",
        ),
        ("libxkbcommon-x11.so.0: cannot open shared object file", "libxkbcommon-x11", "libxkbcommon-x11-0"),
    ],
)
def test_a_library_that_is_missing_is_one_sentence_with_its_package(
    error: str, library: str, package: str
) -> None:
    told = start.without_library(error)
    assert f"library {library}:" in told
    assert f"package {package};" in told
    assert "apt install" in told
    assert "\n" not in told


def test_other_libraries_and_other_errors_are_told_too() -> None:
    assert start.without_library("libfoo.so.9: cannot open shared object file") == (
        "The panel needs the system's library libfoo, which is not installed."
    )
    assert "DLL load failed" in start.without_library("DLL load failed while importing QtCore")


def test_without_a_screen_it_says_so() -> None:
    assert "no screen" in start.missing("linux", {})
    assert "no screen" not in start.missing("linux", {"DISPLAY": ":0"})
    assert start.missing("linux", {"QT_QPA_PLATFORM": "offscreen"}) == ""
    assert start.missing("darwin", {}) == ""


def test_a_plugin_that_lacks_a_library_is_told_before_qt_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    plugin.parent.mkdir(parents=True)
    assert start._no_plugin(tmp_path) == ""
    plugin.write_bytes(b"")

    def refuse(path: str) -> None:
        raise OSError("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(start.ctypes, "CDLL", refuse)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "libxcb-cursor0" in start._no_plugin(tmp_path)


def test_without_qt_the_line_that_adds_it_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "find_spec", lambda name: None)
    assert start.main([]) == start.USAGE
    assert capsys.readouterr().err.startswith("sightmix: The panel's window is not installed; this adds it: ")


# The command


def cli_run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(["panel", *arguments])
    return int(left.value.code or 0)


def test_the_command_hands_on_what_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    handed: list[list[str]] = []
    monkeypatch.setattr(start, "main", lambda arguments: handed.append(list(arguments)) or 0)
    timeline = tmp_path / "a.otio"
    timeline.touch()
    assert cli_run(str(timeline), "--theme", "light") == 0
    assert cli_run("--resolve", "--debug", "--language", "de") == 0
    assert cli_run("--demo") == 0
    assert handed == [
        [str(timeline), "--theme", "light"],
        ["--resolve", "--debug", "--language", "de"],
        ["--demo"],
    ]


def test_the_command_without_the_window_or_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli_run(str(tmp_path / "gone.otio")) == 2
    assert "gone.otio is not there." in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "sightmix.ui.window.start", None)
    assert cli_run() == 2
    assert "this adds it" in capsys.readouterr().err


def test_the_start_s_own_imports_are_light() -> None:
    """Help and missing pieces are answered without Qt, numpy and the engine."""
    lines = (
        "import sys; import sightmix.ui.window.start;"
        "print([name for name in ('PySide6', 'numpy', 'av', 'scipy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_window_needs_nothing_that_takes_long_to_load() -> None:
    lines = (
        "import sys; import sightmix.ui.window.assembly;"
        "slow = ('scipy.signal', 'scipy.stats', 'torch', 'onnxruntime', 'qtawesome', 'PySide6.QtMultimedia');"
        "print([name for name in slow if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


# Language


@pytest.fixture
def silent_translators(qapp: QApplication) -> Any:
    yield
    for translator in app.spoken:
        qapp.removeTranslator(translator)
    app.spoken.clear()


def test_it_speaks_german(qapp: QApplication, silent_translators: Any) -> None:
    assert app.speak(qapp, "de") == "de"
    assert QCoreApplication.translate("Keys", "Undo") == "Rückgängig"
    assert (
        QCoreApplication.translate("StemLane", "%n point(s) drawn by hand.", "", 1)
        == "1 Punkt von Hand gezeichnet."
    )


def test_english_has_its_plurals(qapp: QApplication, silent_translators: Any) -> None:
    assert app.speak(qapp, "en") == "en"
    assert (
        QCoreApplication.translate("StemLane", "%n point(s) drawn by hand.", "", 1)
        == "1 point drawn by hand."
    )
    assert (
        QCoreApplication.translate("StemLane", "%n point(s) drawn by hand.", "", 3)
        == "3 points drawn by hand."
    )
    assert QCoreApplication.translate("Keys", "Undo") == "Undo"


# Stopping


def test_ctrl_c_closes_the_window(qtbot: QtBot) -> None:
    before = signal.getsignal(signal.SIGINT)
    stopped: list[int] = []
    stopping = app.Stopping(lambda: stopped.append(1))
    signal.raise_signal(signal.SIGINT)
    qtbot.waitUntil(lambda: stopped == [1])
    stopping.close()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_whole_panel_starts_shows_itself_and_leaves_nothing(tmp_path: Path) -> None:
    """The real program: the window is shown, the engine's processes come and go with it, and the files it keeps."""
    lines = f"""
import os, sys
os.environ["SIGHTMIX_CONFIG"] = {str(tmp_path / "config.toml")!r}
from PySide6.QtCore import QTimer
from sightmix.ui.window import app, given, start
first = app.Shown._begin
def begin(self):
    first(self)
    print("shown", self.window.isVisible(), self.engine.state_of("work"), flush=True)
    QTimer.singleShot(300, self.stop)
app.Shown._begin = begin
status = start.main(["--theme", "light", "--language", "de"])
from sightmix.ui.window import theme
print("left", status, theme.current().name, flush=True)
"""
    told = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, timeout=120, check=False
    )
    assert told.stdout.splitlines() == ["shown True starting", "left 0 light"]
    # A machine without sound is said to be one by Qt.
    assert [line for line in told.stderr.splitlines() if "PulseAudio" not in line] == []
    assert (tmp_path / "panel.json").is_file()
