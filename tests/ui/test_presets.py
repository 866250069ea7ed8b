"""Presets: one file each, shared with the command line and with other panels, and nothing of anybody's lost."""

from __future__ import annotations

import os
import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sightmix.engine.errors import SettingsError, WriteError
from sightmix.engine.locks import holding_folder
from sightmix.plugin.jobs.defaults import Defaults, read_defaults
from sightmix.plugin.jobs.settings import SETTINGS, JobSettings
from sightmix.ui.control import presets as module
from sightmix.ui.control.history import History
from sightmix.ui.control.options import Options
from sightmix.ui.control.presets import KEPT, SHIPPED, Presets, parse


class Panel:
    """What a panel has of presets."""

    def __init__(self, folder: Path) -> None:
        self.history = History()
        self.options = Options(self.history, Defaults(None))
        self.presets = Presets(self.history, self.options, folder)
        self.said: list[str] = []
        self.presets.said.subscribe(self.said.append)

    def own(self) -> list[str]:
        return [preset.name for preset in self.presets.all if not preset.shipped]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config" / "presets"


@pytest.fixture
def panel(folder: Path) -> Panel:
    return Panel(folder)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_what_comes_with_sightmix_is_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preset = parse(path.read_bytes(), path, shipped=True)
    assert preset.warnings == ()
    assert preset.values
    monkeypatch.setenv("SIGHTMIX_CONFIG", str(path))
    assert dict(read_defaults().settings) == dict(preset.values)


def test_ours_come_first_and_stay(panel: Panel) -> None:
    names = [preset.name for preset in panel.presets.all]
    assert names[:4] == ["Repair", "Gentle repair", "Dialogue forward", "Full restyle"]
    assert {"EBU R 128", "Netflix dialogue", "YouTube"} < set(names)
    for act in (panel.presets.delete, lambda key: panel.presets.rename(key, "Mine")):
        with pytest.raises(SettingsError, match="'Repair' comes with sightmix"):
            act("10_repair.toml")
    with pytest.raises(SettingsError, match="A preset 'repair' comes with sightmix"):
        panel.presets.save("repair")


def test_choosing_one_sets_what_it_names_as_one_deed(panel: Panel) -> None:
    panel.options.set("music", -9.0)
    panel.options.set("loudness", "-20")
    panel.presets.choose("23_netflix.toml")
    assert panel.options.settings() == JobSettings(music=-9.0, delivery="netflix")
    assert panel.history.next_undo == "Preset Netflix dialogue"
    assert panel.presets.current is not None
    assert not panel.presets.modified
    panel.presets.choose("10_repair.toml")
    assert panel.options.settings() == JobSettings(delivery="netflix")
    panel.options.set("strength", 0.5)
    assert panel.presets.modified
    panel.history.undo()
    assert not panel.presets.modified
    panel.history.undo()
    assert panel.presets.current.name == "Netflix dialogue"
    panel.history.undo()
    assert panel.presets.current is None
    assert panel.options.settings() == JobSettings(music=-9.0, loudness="-20")


def test_what_is_saved_is_what_the_command_line_reads(
    panel: Panel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = JobSettings(
        style="full", strength=0.5, music=-3.5, delivery="podcast", handles=7, as_="both", stems=True
    )
    for name in ("style", "strength", "music", "delivery", "handles", "as_", "stems"):
        panel.options.set(name, getattr(wanted, name))
    preset = panel.presets.save("My show")
    assert files(folder) == ["my_show.toml"]
    assert panel.presets.current == preset
    monkeypatch.setenv("SIGHTMIX_CONFIG", str(preset.path))
    assert JobSettings(**read_defaults().settings) == wanted
    assert set(tomllib.loads(preset.path.read_text())["rebalance"]) == {setting.key for setting in KEPT}
    other = Panel(folder)
    other.presets.choose(preset.key)
    assert other.options.settings() == wanted


def test_saving_renaming_and_deleting_are_undone_and_redone(panel: Panel, folder: Path) -> None:
    panel.options.set("music", -1.0)
    key = panel.presets.save("One").key
    first = (folder / key).read_bytes()
    panel.options.set("music", -2.0)
    panel.presets.save("one")  # the same, as disks have it that do not tell letters apart
    second = (folder / key).read_bytes()
    panel.presets.rename(key, "Two")
    panel.presets.delete(key)
    assert (files(folder), panel.own()) == ([], [])
    assert panel.presets.current is None
    panel.history.undo()
    assert panel.own() == ["Two"]
    panel.history.undo()
    assert (folder / key).read_bytes() == second
    assert panel.history.next_undo == "Save preset one"
    panel.history.undo()
    assert (folder / key).read_bytes() == first
    panel.history.undo()
    panel.history.undo()
    assert (files(folder), panel.presets.current) == ([], None)
    while panel.history.redo():
        pass
    assert files(folder) == []
    panel.history.undo()
    assert panel.own() == ["Two"]
    assert panel.said == []


def test_names_that_are_taken_are_refused(panel: Panel) -> None:
    one, two = panel.presets.save("One"), panel.presets.save("Two")
    with pytest.raises(SettingsError, match="There is a preset 'Two' already"):
        panel.presets.rename(one.key, "TWO")
    assert panel.presets.rename(two.key, "TWO").name == "TWO"
    for empty in ("", " \t\n"):
        with pytest.raises(SettingsError, match="needs a name"):
            panel.presets.save(empty)


def test_what_cannot_be_is_not_saved(panel: Panel, folder: Path) -> None:
    panel.options.set("strength", "loud")
    with pytest.raises(SettingsError, match="Strength must be a number"):
        panel.presets.save("Mine")
    assert not folder.exists()


def test_two_panels_do_not_destroy_each_others(folder: Path) -> None:
    one, two = Panel(folder), Panel(folder)
    one.options.set("music", -1.0)
    two.options.set("music", -2.0)
    first = one.presets.save("Mine")
    second = two.presets.save("Mine")  # it did not know of the first
    assert (first.name, second.name) == ("Mine", "Mine 2")
    assert files(folder) == ["mine.toml", "mine_2.toml"]
    # Each undoes its own.
    one.history.undo()
    two.presets.refresh()
    assert two.own() == ["Mine 2"]
    # What another has changed meanwhile is neither replaced, nor deleted, nor taken back.
    one.presets.refresh()
    two.options.set("effects", -7.0)
    two.presets.save("Mine 2")
    with pytest.raises(WriteError, match="was changed by somebody else"):
        one.presets.delete("mine_2.toml")
    one.presets.refresh()
    third = one.presets.save("Mine 2")  # now it knows it
    assert third.key == "mine_2.toml"
    two.history.undo()
    assert two.said
    assert "was changed by somebody else" in two.said[0]
    assert one.presets.find("mine_2.toml") == two.presets.find("mine_2.toml") == third


def test_two_panels_save_at_the_same_moment(folder: Path) -> None:
    panels = [Panel(folder) for _ in range(4)]
    start = threading.Barrier(len(panels))

    def save(panel: Panel, level: float) -> None:
        panel.options.set("music", level)
        start.wait()
        panel.presets.save("Mine")

    threads = [threading.Thread(target=save, args=(p, -float(n))) for n, p in enumerate(panels)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [parse(path.read_bytes(), path) for path in folder.glob("*.toml")]
    assert {preset.values["music"] for preset in found} == {0.0, -1.0, -2.0, -3.0}


def test_a_folder_somebody_holds_is_waited_for_and_then_said(
    panel: Panel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    folder.mkdir(parents=True)
    with holding_folder(folder), pytest.raises(WriteError, match="being written by another run"):
        panel.presets.save("Mine")
    assert panel.own() == []
    assert panel.history.next_undo == ""
    assert panel.presets.save("Mine").name == "Mine"


def test_what_nobody_knows_is_warned_of_and_kept(panel: Panel, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "theirs.toml").write_text(
        'name = "Theirs"\nmedia = ["~/Sound"]\nwhen = 2026-01-02T03:04:05Z\n\n'
        '[rebalance]\nmusik = -6\nmusic = -6\nstrength = 3\ndevice = "cuda:1"\nloudness = -20\ndelivery = "podcast"\n'
        '[odd]\n"a b" = {c = [1, 2.5]}\n'
    )
    (folder / "broken.toml").write_text("[rebalance\n")
    (folder / "bytes.toml").write_bytes(b"\xff\xfe[rebalance]")
    (folder / "none.toml").write_text("a = 1\n")
    panel.presets.refresh()
    assert panel.own() == ["Theirs"]
    assert len(panel.presets.broken) == 3
    preset = panel.presets.find("theirs.toml")
    assert preset is not None
    assert dict(preset.values) == {"music": -6.0, "loudness": "-20"}
    warnings = "\n".join(preset.warnings)
    for part in (
        "'musik' (did you mean 'music'?)",
        "--strength 3.0 lies outside",
        "'device' belongs",
        "both say",
    ):
        assert part in warnings
    panel.presets.choose(preset.key)
    panel.presets.save("Theirs")
    before, after = preset.data, tomllib.loads((folder / "theirs.toml").read_text())
    assert after["rebalance"]["musik"] == -6
    assert after["rebalance"]["device"] == "cuda:1"
    assert {key: after[key] for key in ("media", "when", "odd")} == {
        key: before[key] for key in ("media", "when", "odd")
    }


def test_one_is_handed_out_and_taken_in(panel: Panel, folder: Path, tmp_path: Path) -> None:
    panel.options.set("music", -4.0)
    key = panel.presets.save("Show: A/B").key
    preset = panel.presets.find(key)
    assert preset is not None
    assert preset.file_name == "show_a_b.toml"
    given_out = tmp_path / "for you.toml"
    panel.presets.hand_out(key, given_out)
    other = Panel(tmp_path / "other")
    taken = other.presets.take_in(given_out)
    again = other.presets.take_in(given_out)
    assert (taken.name, again.name) == ("Show: A/B", "Show: A/B 2")
    assert taken.values == again.values == preset.values
    other.history.undo()
    assert other.own() == ["Show: A/B"]
    with pytest.raises(SettingsError, match=r"nothing\.toml cannot be read"):
        other.presets.take_in(tmp_path / "nothing.toml")
    big = tmp_path / "big.toml"
    big.write_bytes(b"#" * (1 << 21))
    with pytest.raises(SettingsError, match="larger than any"):
        other.presets.take_in(big)
    with pytest.raises(WriteError, match="does not exist"):
        panel.presets.hand_out(key, tmp_path / "no" / "folder.toml")


def test_a_name_of_ours_is_given_another_when_it_is_taken_in(panel: Panel, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    panel.presets.hand_out("10_repair.toml", path)
    assert panel.presets.take_in(path).name == "Repair 2"


def test_a_folder_that_cannot_be_written_says_so(panel: Panel, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    with pytest.raises(WriteError, match="presets"):
        panel.presets.save("Mine")
    assert panel.own() == []


HOSTILE = [
    "CON",
    "nul.txt",
    "../../etc/passwd",
    "a\\b:c*d?e",
    " . ",
    "名前",
    "\U0001f600",
    "x" * 300,
    "a\x00b",
    "\ud800",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_safe_file_names(panel: Panel, folder: Path, name: str) -> None:
    check_name(panel, folder, name)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), min_size=1, max_size=70))
def test_any_name_comes_back(tmp_path: Path, name: str) -> None:
    folder = tmp_path / os.urandom(6).hex()
    check_name(Panel(folder), folder, name)


def check_name(panel: Panel, folder: Path, name: str) -> None:
    panel.options.set("music", -2.5)
    try:
        preset = panel.presets.save(name)
    except SettingsError:
        assert not folder.exists()
        return
    (file,) = files(folder)
    stem = file.removesuffix(".toml")
    assert file == file.casefold()
    assert stem.partition(".")[0] not in ("con", "nul", "aux", "prn")
    assert all(letter.isascii() and (letter.isalnum() or letter in "._-") for letter in stem)
    assert 0 < len(stem) <= 50
    other = Panel(folder)
    assert other.own() == [preset.name]
    other.presets.choose(file)
    assert other.options.value("music") == -2.5
    panel.history.undo()
    panel.history.undo()
    assert files(folder) == []
    assert panel.options.value("music") == SETTINGS["music"].default
