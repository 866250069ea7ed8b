"""What the user wants of the window is kept, and a file that is broken costs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sightmix.ui.control.preferences import SCALES, Preferences, Wishes, preferences_path


def test_wishes_are_kept_and_told(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "panel.json"
    told: list[str] = []
    first = Preferences(path)
    first.changed.subscribe(told.append)
    first.set(theme="light", scale=1.15)
    first.set(theme="light")
    first.place("body", (300, 500, 240))
    first.place("middle", (1, 2))
    assert told == ["theme", "scale", "places", "places"]
    again = Preferences(path).wishes
    assert again == first.wishes
    assert again.places == {"body": (300, 500, 240), "middle": (1, 2)}
    assert [file.name for file in path.parent.iterdir()] == ["panel.json"]


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", "\x00", '{"theme": 3}'])
def test_a_broken_file_is_as_if_it_were_not_there(tmp_path: Path, text: str) -> None:
    path = tmp_path / "panel.json"
    path.write_text(text)
    assert Preferences(path).wishes == Wishes()


@pytest.mark.parametrize(
    ("name", "value"),
    [("theme", "pink"), ("scale", "nan"), ("scale", "big"), ("motion", 1), ("toured", "no"), ("places", [1])],
)
def test_one_bad_wish_leaves_the_others(tmp_path: Path, name: str, value: Any) -> None:
    path = tmp_path / "panel.json"
    path.write_text(json.dumps({"language": "de", name: value}))
    assert Preferences(path).wishes == Wishes(language="de")


def test_a_size_between_two_is_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "panel.json"
    path.write_text('{"scale": 1.2}')
    assert Preferences(path).wishes.scale == 1.15


def test_type_grows_by_steps_and_stops(tmp_path: Path) -> None:
    wanted = Preferences()
    for _ in range(20):
        wanted.step_scale(1)
    assert wanted.wishes.scale == SCALES[-1]
    wanted.step_scale(-1)
    assert wanted.wishes.scale == SCALES[-2]
    wanted.step_scale(0)
    assert wanted.wishes.scale == 1.0


def test_what_cannot_be_written_is_said_and_wanted_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wanted = Preferences(tmp_path / "file" / "panel.json")
    wanted.set(theme="light")
    assert wanted.wishes.theme == "light"
    assert "cannot be written" in wanted.trouble


def test_what_is_no_wish_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        Preferences().set(colour="pink")


def test_it_lies_beside_the_user_s_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGHTMIX_CONFIG", str(tmp_path / "config.toml"))
    assert preferences_path() == tmp_path / "panel.json"
    monkeypatch.setenv("SIGHTMIX_CONFIG", "")
    assert preferences_path() is None
