"""Settings as the panel has them: checked, kept as typed where they cannot be, undone, and one table for all."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from hypothesis import given
from hypothesis import strategies as st
from sightmix.plugin.jobs.defaults import Defaults, read_defaults, toml, untyped
from sightmix.plugin.jobs.settings import GROUPS, SETTINGS, JobSettings
from sightmix.ui.control.history import History
from sightmix.ui.control.options import ANEW, LIVE, OFFERED, WRITTEN, Options, acting, read, shown

PLAIN = Defaults(None)
GPU = {
    "devices": [
        {"key": "cpu", "name": "CPU, 2 cores", "reason": ""},
        {"key": "cuda:0", "name": "NVIDIA H100", "reason": ""},
        {"key": "cuda:1", "name": "GTX 680", "reason": "GTX 680 cannot be used: too old."},
    ],
    "auto": "cuda:0",
}


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def options(history: History) -> Options:
    return Options(history, PLAIN)


def other_value(name: str) -> Any:
    """A value that the setting can have and is not its default."""
    setting = SETTINGS[name]
    if setting.kind is bool:
        return not setting.default
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.default)
    if setting.kind in (int, float):
        return setting.kind(setting.low + (1 if setting.kind is int else 0.5))
    return {"loudness": "-23", "delivery": "netflix", "device": "cpu"}.get(name, "tiny")


def test_it_begins_with_the_defaults_of_the_user(
    tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[rebalance]\nstyle = "full"\nmusic = -6\n')
    monkeypatch.setenv("SIGHTMIX_CONFIG", str(path))
    options = Options(history)
    assert options.settings() == JobSettings(style="full", music=-6.0)
    assert not options.differs("music")
    options.set("music", 0.0)
    assert options.differs("music")
    options.reset("music")
    assert options.value("music") == -6.0


def test_defaults_that_cannot_be_used_say_so_and_cost_nothing(
    tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[rebalance]\nstile = "full"\n')
    monkeypatch.setenv("SIGHTMIX_CONFIG", str(path))
    options = Options(history)
    assert str(path) in options.note
    assert "did you mean 'style'" in options.note
    assert options.settings() == JobSettings()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_offered_and_is_told_when_it_changes(
    name: str, history: History, options: Options
) -> None:
    setting, value = SETTINGS[name], other_value(name)
    assert setting in OFFERED
    assert setting.label
    assert setting.group in GROUPS
    assert sum(name in acting(acts) for acts in (LIVE, ANEW, WRITTEN)) == 1
    told: list[str] = []
    options.changed.subscribe(told.append)
    options.set(name, value)
    assert told == [name]
    assert getattr(options.settings(), name) == value == options.value(name)
    assert history.next_undo.startswith(setting.label)
    assert history.undo()
    assert options.settings() == JobSettings()
    assert not options.differs(name)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_file_and_a_flag_call_it_as_the_table_does(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, value = SETTINGS[name], other_value(name)
    path = tmp_path / "one.toml"
    path.write_text(f"[rebalance]\n{setting.key} = {toml(untyped(setting, value))}\n")
    monkeypatch.setenv("SIGHTMIX_CONFIG", str(path))
    assert read_defaults().settings == {name: value}
    assert setting.flag == f"--{setting.key}"


@pytest.mark.parametrize("name", [s.name for s in OFFERED if s.kind in (int, float)])
def test_what_a_field_shows_can_be_typed_back(name: str, options: Options) -> None:
    setting = SETTINGS[name]
    assert setting.low is not None
    assert setting.high is not None
    low, high = setting.usual or (setting.low, setting.high)
    assert setting.low <= low < high <= setting.high
    assert setting.step > 0
    for value in (setting.kind(low), setting.kind(high), setting.default):
        assert read(setting, shown(setting, value)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("strength", "80", 0.8),
        ("strength", " 80 % ", 0.8),
        ("music", "-6", -6.0),
        ("music", "\N{MINUS SIGN}6,5 dB", -6.5),
        ("music", "+3", 3.0),
        ("true_peak", "-2 dBTP", -2.0),
        ("handles", "24", 24),
        ("loudness", " \N{MINUS SIGN}24 ", "-24"),
    ],
)
def test_numbers_are_read_as_people_type_them(options: Options, name: str, typed: str, value: Any) -> None:
    options.set(name, typed)
    assert options.fault(name) == ""
    assert options.value(name) == pytest.approx(value) if isinstance(value, float) else value


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("strength", "150", "Strength 150 lies outside 0 to 100 %."),
        ("strength", "loud", "Strength must be a number from 0 to 100 %, not 'loud'."),
        ("music", "nan", "Music must be a number from \N{MINUS SIGN}60 to 24 dB, not 'nan'."),
        ("music", "inf", "Music inf lies outside \N{MINUS SIGN}60 to 24 dB."),
        ("music", "1e400", "Music 1e400 lies outside \N{MINUS SIGN}60 to 24 dB."),
        ("handles", "1.5", "Handles must be a whole number from 0 to 1000 frames, not '1.5'."),
        ("handles", "inf", "Handles inf lies outside 0 to 1000 frames."),
        ("loudness", "23", "Loudness '23' is neither 'keep' nor"),
        ("delivery", "ebu", "There is no delivery spec 'ebu'; choose among"),
        ("device", "gpu", "Device 'gpu' is none of auto, cpu"),
        ("style", "fuller", "Style 'fuller' is none of repair, full."),
    ],
)
def test_what_cannot_be_is_kept_with_its_sentence(
    options: Options, history: History, name: str, typed: str, sentence: str
) -> None:
    options.set(name, typed)
    assert options.text(name) == typed
    assert sentence in options.fault(name)
    assert options.faults == (options.fault(name),)
    assert options.settings() == JobSettings()
    assert options.differs(name)
    history.undo()
    assert (options.fault(name), options.faults) == ("", ())
    history.redo()
    assert options.text(name) == typed
    options.reset(name)
    assert not options.differs(name)


def test_of_two_ways_to_say_how_loud_the_last_counts(options: Options, history: History) -> None:
    options.set("delivery", "netflix")
    options.set("loudness", "-20")
    assert (options.value("loudness"), options.value("delivery")) == ("-20", "")
    options.set("delivery", "ebu-r128")
    assert (options.value("loudness"), options.value("delivery")) == ("keep", "ebu-r128")
    options.set("loudness", "-99")
    assert options.fault("loudness")
    options.set("delivery", "podcast")
    assert options.faults == ()
    for _ in range(5):
        history.undo()
    assert options.settings() == JobSettings()


def test_a_drag_is_undone_as_one(options: Options, history: History) -> None:
    for level in (-1.0, -2.0, -3.0):
        options.set("music", level, dragged=True)
    options.settle()
    options.set("music", -4.0, dragged=True)
    options.set("effects", -4.0, dragged=True)
    assert history.next_undo == "Effects \N{MINUS SIGN}4.0 dB"
    history.undo()
    history.undo()
    assert options.value("music") == -3.0
    history.undo()
    assert options.value("music") == 0.0
    assert not history.undo()
    history.redo()
    assert options.value("music") == -3.0


def test_what_changes_nothing_is_no_deed(options: Options, history: History) -> None:
    options.set("music", 0.0)
    options.reset("music")
    options.reset_all()
    options.apply({"style": "repair"}, "Preset")
    assert history.next_undo == ""


def test_all_is_put_back_at_once(options: Options, history: History) -> None:
    options.set("music", -3.0)
    options.set("strength", "loud")
    options.reset_all()
    assert (options.settings(), options.faults) == (JobSettings(), ())
    history.undo()
    assert (options.value("music"), options.text("strength")) == (-3.0, "loud")


def test_a_device_that_cannot_be_used_gives_way_to_the_cpu(options: Options) -> None:
    engine = FakeEngine()
    told: list[str] = []
    options.changed.subscribe(told.append)
    options.ask_devices(engine)
    options.set("device", "cuda:1")
    assert options.settings().device == "cuda:1"  # nobody knows better yet
    engine.asked[0].finish(GPU)
    assert told == ["device", "device"]  # it runs somewhere else than was thought
    options.tell_devices(GPU)
    options.ask_devices(engine)
    assert (told, len(engine.asked)) == (["device", "device"], 1)
    assert options.settings().device == "cpu"
    assert options.device == ("cpu", "GTX 680 cannot be used: too old. The CPU is used.")
    options.set("device", "cuda:7")
    assert options.device == ("cpu", "There is no cuda:7 on this computer. The CPU is used.")
    assert options.choices("device")[-1].value == "cuda:7"
    for key in ("cuda", "cuda:0", "cpu", "auto"):
        options.set("device", key)
        assert options.device == (key, "")
    assert options.device_title("auto") == "NVIDIA H100"
    assert [choice.usable for choice in options.choices("device")] == [True, True, True, False]


def test_to_know_the_devices_is_no_change(options: Options) -> None:
    told: list[str] = []
    offered: list[str] = []
    options.changed.subscribe(told.append)
    options.offered.subscribe(offered.append)
    options.tell_devices(GPU)
    assert (told, offered) == ([], ["device"])


def test_auto_does_not_run_into_a_broken_card(options: Options) -> None:
    broken = {"key": "cuda:0", "name": "GTX 680", "reason": "GTX 680 cannot be used: too old."}
    options.tell_devices({"devices": [GPU["devices"][0], broken], "auto": "cpu"})
    assert options.device == ("cpu", "GTX 680 cannot be used: too old. The CPU is used.")
    assert options.settings().device == "cpu"


def test_there_is_always_what_is_set_to_choose(options: Options) -> None:
    assert [choice.value for choice in options.choices("delivery")][:2] == ["atsc-a85", "ebu-r128"]
    assert "\N{MINUS SIGN}23 LUFS" in options.choices("delivery")[1].reason
    assert options.choices("model")[0].value == ""
    options.set("model", "mine")
    assert options.choices("model")[-1].value == "mine"
    assert "not known" in options.choices("model")[-1].reason
    assert [choice.value for choice in options.choices("style")] == ["repair", "full"]


ANY = st.one_of(st.text(max_size=8), st.floats(), st.integers(), st.booleans(), st.none())
ACTS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(list(SETTINGS)), ANY, st.booleans()),
    st.tuples(st.just("good"), st.sampled_from(list(SETTINGS)), st.none(), st.booleans()),
    st.tuples(
        st.sampled_from(["reset", "reset_all", "settle", "undo", "redo"]),
        st.sampled_from(list(SETTINGS)),
        st.none(),
        st.just(False),
    ),
)


@given(st.lists(ACTS, max_size=30))
def test_whatever_is_done_can_be_undone_and_redone(acts: list[tuple[str, str, Any, bool]]) -> None:
    history = History()
    options = Options(history, PLAIN)
    seen: dict[str, tuple[str, str]] = {name: (options.text(name), "") for name in SETTINGS}
    options.changed.subscribe(lambda name: seen.update({name: (options.text(name), options.fault(name))}))
    for act, name, value, dragged in acts:
        if act in ("set", "good"):
            options.set(name, other_value(name) if act == "good" else value, dragged=dragged)
        elif act == "reset":
            options.reset(name)
        elif act in ("undo", "redo"):
            getattr(history, act)()
        else:
            getattr(options, act)()
        assert options.settings() == JobSettings(**asdict(options.settings()))
    # Whoever listens has seen all of it.
    assert seen == {name: (options.text(name), options.fault(name)) for name in SETTINGS}
    while history.redo():
        pass
    last = {name: (options.text(name), options.fault(name)) for name in SETTINGS}
    while history.undo():
        pass
    assert options.settings() == JobSettings()
    assert options.faults == ()
    while history.redo():
        pass
    assert {name: (options.text(name), options.fault(name)) for name in SETTINGS} == last


def test_toml_says_what_it_was_told() -> None:
    odd = {'a"b\n\x7f\x00': ["\U0001f600 \\", 1, 1.5, True, {"x": -1.0}]}
    assert tomllib.loads(f"value = {toml(odd)}") == {"value": odd}


def test_a_loudness_is_a_word_or_a_figure_with_its_unit(options: Options, history: History) -> None:
    assert options.text("loudness") == "keep"
    options.set("loudness", "-23,5 LUFS")
    assert (options.value("loudness"), options.text("loudness")) == ("-23.5", "\N{MINUS SIGN}23.5 LUFS")
    assert history.next_undo == "Loudness \N{MINUS SIGN}23.5 LUFS"
    options.set("delivery", "netflix")
    assert history.next_undo == "Delivery Netflix near-field"
    options.set("loudness", "keep")
    assert options.settings() == JobSettings()


def test_both_ways_to_say_how_loud_go_back_together(history: History) -> None:
    options = Options(history, Defaults(None, settings={"delivery": "ebu-r128"}))
    options.set("loudness", "-20")
    options.reset("loudness")
    assert options.differences == {}
    assert options.value("delivery") == "ebu-r128"


def test_what_was_set_is_there_again_another_time(options: Options, history: History) -> None:
    options.set("music", -6.0)
    options.set("delivery", "podcast")
    options.set("strength", "loud")
    kept = options.differences
    assert kept == {"music": -6.0, "delivery": "podcast"}
    other = Options(History(), PLAIN)
    other.set("style", "full")
    other.restore({**kept, "handles": -5, "of an older version": 1})
    assert other.settings() == JobSettings(music=-6.0, delivery="podcast")
    assert other.faults == ()


def test_what_a_model_cannot_be_told_says_so(options: Options) -> None:
    found = {one.value: one for one in options.choices("context")}
    assert set(found) == {"auto", "none", "frames", "clip", "captions"}
    assert found["auto"].usable
    assert found["frames"].usable
    assert not found["captions"].usable
    assert "not captions" in found["captions"].reason
