"""What tracks hold, by what users, hosts and names say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.engine.edit.categories import (
    CATEGORIES,
    MARRIED,
    SILENT,
    UNKNOWN,
    Category,
    agreed,
    decided,
    named,
    of_host,
    of_user,
    said,
)
from sightmix.engine.errors import SettingsError

DIALOGUE = (
    "DX DX1 Dialogue DIA_01 VO voiceOver Dial.2 Sprecher O-Ton Narration·FR Voix·off Diálogos Interview ADR Dialogspur "
    "Диалоги セリフ 대사 对白 Voice·Over Dialogue·Mix Lav·2 Boom Int.·Anna dialogue.dialogue-1"
)
MUSIC = (
    "MX MX·2 Music Music·L Musik Música Score Song·for·Anna Hintergrundmusik Background·music BGM Музыка 音楽"
)
EFFECTS = (
    "SFX SFX01 FX_3 Effects·Bus Ambience Atmo BG BGs Room·Tone Nat·Sound Foley Geräusche Bruitage Efectos Ljudeffekter "
    "Шумы 音效 効果音 Sound·Design Sound·Effects Footsteps effects.hits Walla"
)
MIXES = "Mix Full·Mix Mixdown M&E M·&·E Music·+·FX Dialogue·and·Music Premaster Printmaster"
NOTHING = (
    "A1 Audio·1 Track·3 Stereo TimelineMobSlot Sequence Camera Emotion Composer Remix Video·Sound V1 · 01"
)


@pytest.mark.parametrize(
    ("names", "kind"),
    [(DIALOGUE, "dialogue"), (MUSIC, "music"), (EFFECTS, "effects"), (MIXES, MARRIED), (NOTHING, "")],
)
def test_names_in_common_use(names: str, kind: str) -> None:
    told = {name: named(name.replace("·", " ")) for name in names.split(" ")}
    assert {name: found.kind for name, found in told.items()} == dict.fromkeys(told, kind)
    assert all(found.by == "name" for found in told.values() if found.kind)


def test_a_name_says_how_sure_it_is_and_why() -> None:
    assert named("MX 2") == Category("music", "name", 0.95, "its name says “mx”")
    assert named("Boom").confidence < named("DX").confidence
    assert named("Boom").certain
    assert not UNKNOWN.certain


def test_the_user_outranks_the_host_and_the_host_the_name() -> None:
    user, host, name = of_user("effects"), of_host("music.score", "Final Cut"), named("DX")
    assert decided(name, host, user) is user
    assert decided(name, host) is host
    assert decided(UNKNOWN, name) is name
    assert decided(UNKNOWN) is UNKNOWN
    assert (host.kind, host.by) == ("music", "host")
    assert of_host("A1", "Final Cut") is UNKNOWN


def test_what_a_user_says() -> None:
    assert said(["A1=dialogue", "Wild Track = FX", "A=B=music", "a2=mix", "A3=silent", "A4=auto"]) == {
        "a1": "dialogue",
        "wild track": "effects",
        "a=b": "music",
        "a2": "mix",
        "a3": "silent",
        "a4": "",
    }


@pytest.mark.parametrize("text", ["A1", "=music", "A1=", "A1=drums and bass"])
def test_what_a_user_cannot_say(text: str) -> None:
    with pytest.raises(SettingsError, match="--category"):
        said([text])


def test_a_track_is_what_its_clips_are() -> None:
    music, sure = named("Boom"), named("DX")
    assert agreed([sure, music, UNKNOWN]) == music  # both dialogue: the less sure one counts
    assert agreed([of_host("music", "x"), sure]).kind == ""
    assert agreed([Category(SILENT, "ear", 0.9), sure]) == sure
    assert agreed([]) is UNKNOWN


def test_stems_of_categories() -> None:
    assert [Category(kind).stem for kind in CATEGORIES] == ["speech", "music", "effects", "", ""]


@given(st.text(max_size=40))
def test_any_name_is_read(name: str) -> None:
    found = named(name)
    assert found.kind in ("", *CATEGORIES)
    assert bool(found.kind) == (found.confidence > 0)
