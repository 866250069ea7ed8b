"""Settings are declared once, checked once, and become flags."""

import math
from dataclasses import fields
from typing import Any

import pytest
from sightmix.engine.errors import SettingsError
from sightmix.plugin.jobs.rebalance import engine_settings
from sightmix.plugin.jobs.settings import SETTINGS, JobSettings


def test_every_setting_says_what_it_is() -> None:
    assert list(SETTINGS) == [f.name for f in fields(JobSettings)]
    for name, setting in SETTINGS.items():
        assert setting.help.endswith(".")
        assert setting.kind is type(getattr(JobSettings(), name))


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"strength": 1.01}, "--strength 1.01 lies outside 0 to 1"),
        ({"strength": math.nan}, "--strength nan"),
        ({"music": -61.0}, "--music -61.0 lies outside -60 to 24 dB"),
        ({"true_peak": 0.1}, "--true-peak 0.1"),
        ({"handles": -1}, "--handles -1 lies outside 0 to 1000 frames"),
        ({"context": "smell"}, "--context 'smell' is none of auto, none"),
        ({"loudness": "loud"}, "--loudness 'loud' is neither"),
        ({"loudness": "nan"}, "--loudness 'nan' is neither"),
        ({"loudness": "23"}, "--loudness '23' is neither"),
        ({"device": "gpu"}, "--device 'gpu' is none of"),
        ({"device": "cuda:x"}, "--device 'cuda:x'"),
        ({"device": "cpu:1"}, "--device 'cpu:1'"),
    ],
)
def test_wrong_values_are_explained(given: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingsError) as caught:
        JobSettings(**given)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("text", "lufs"),
    [("keep", None), ("KEEP", None), ("model", None), ("-23", -23.0), ("-24.5", -24.5), (" -27 ", -27.0)],
)
def test_loudness_targets(text: str, lufs: float | None) -> None:
    assert JobSettings(loudness=text).target_lufs == lufs


def test_the_engine_gets_its_part() -> None:
    given = engine_settings(
        JobSettings(unit="clip", strength=0.5, dialogue=2.0, music=-3.0, effects=1.0, stems=True)
    )
    assert given.to_dict() == {
        "strength": 0.5,
        "dialogue_db": 2.0,
        "music_db": -3.0,
        "effects_db": 1.0,
        "stems": True,
        "raw_stems": False,
        "context": "auto",
    }


@pytest.mark.parametrize("form", ["keyframes", "both"])
def test_keyframes_need_stems_before_their_gains(form: str) -> None:
    settings = JobSettings(unit="clip", as_=form)
    given = engine_settings(settings).to_dict()
    assert (given["stems"], given["raw_stems"]) == (True, True)
    assert settings.to_dict()["as"] == form
    assert SETTINGS["as_"].flag == "--as"
    with pytest.raises(SettingsError, match="--as 'curves' is none of auto, keyframes, baked, both, stems"):
        JobSettings(as_="curves")


@pytest.mark.parametrize("given", [{}, {"strength": 0.5, "music": 3.0, "as_": "baked"}, {"style": "full"}])
def test_a_programmes_clips_are_separated_alike_whatever_is_done_with_them(given: dict[str, Any]) -> None:
    found = engine_settings(JobSettings(**given)).to_dict()
    assert found == engine_settings(JobSettings()).to_dict()
    assert (found["stems"], found["raw_stems"], found["strength"]) == (True, True, 1.0)


def test_a_delivery_spec_says_how_loud_and_how_high() -> None:
    settings = JobSettings(delivery="ebu-r128", true_peak=-0.5)
    assert (settings.target_lufs, settings.ceiling) == (-23.0, -1.0)
    assert JobSettings(delivery="EBU-R128", true_peak=-3.0).ceiling == -3.0
    with pytest.raises(SettingsError, match="There is no delivery spec 'r128'"):
        JobSettings(delivery="r128")
    with pytest.raises(SettingsError, match="both say how loud"):
        JobSettings(delivery="ebu-r128", loudness="-20")
