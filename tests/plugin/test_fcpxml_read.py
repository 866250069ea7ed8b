"""FCPXML as Final Cut Pro and Resolve write it: every clip where the host plays it, in exact seconds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from fcpxml_kit import apart, document, opened, rows
from sightmix.engine.edit import keyframes
from sightmix.engine.errors import TimelineError
from sightmix.plugin.timeline import list_timelines, open_timeline
from sightmix.plugin.timeline.categories import held
from timeline_kit import wav

F = Fraction


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    wav(folder / "ten.wav")
    return folder


# ---- times


@pytest.mark.parametrize(
    ("shape", "unit", "rate"),
    [
        ("f25", F(1, 25), F(25)),
        ("f2997", F(1001, 30000), F(30000, 1001)),
        ("f2398", F(1001, 24000), F(24000, 1001)),
    ],
)
def test_rates_and_times_are_exact(tmp_path: Path, shape: str, unit: Fraction, rate: Fraction) -> None:
    at, source, length = 15000 * unit, 12 * unit, 25 * unit
    spine = (
        f'<gap offset="0s" start="0s" duration="{at}s"/><asset-clip ref="cam" name="a" offset="{at}s" '
        f'start="{source}s" duration="{length}s" audioRole="dialogue"/>'
    )
    found = opened(tmp_path, document(spine, sequence=f'format="{shape}" tcStart="0s"'))
    assert found.rate == rate
    assert rows(found.edit) == [("dialogue", "a", at, at + length, source)]
    assert rows(found.edit, "video") == [("Video 1", "a", at, at + length, source)]


def test_cuts_between_frames_stay_where_they_are(tmp_path: Path) -> None:
    cut = F(48007, 48000)
    spine = (
        f'<asset-clip ref="mus" name="a" offset="0s" start="24013/48000s" duration="{cut}s"/>'
        f'<asset-clip ref="mus" name="b" offset="{cut}s" start="1001/30000s" duration="1s"/>'
    )
    assert rows(opened(tmp_path, document(spine)).edit) == [
        ("Audio 1", "a", F(0), cut, F(24013, 48000)),
        ("Audio 1", "b", cut, cut + 1, F(1001, 30000)),
    ]


@pytest.mark.parametrize(("form", "shown"), [("DF", "01:00:00;00"), ("NDF", "00:59:56:12")])
def test_start_timecodes_drop_frames_where_the_sequence_says_so(
    tmp_path: Path, form: str, shown: str
) -> None:
    start = F(107892 * 1001, 30000)
    spine = f'<asset-clip ref="cam" name="a" offset="{start}s" duration="2002/1000s"/>'
    found = opened(tmp_path, document(spine, sequence=f'format="f2997" tcStart="{start}s" tcFormat="{form}"'))
    assert found.start == start
    assert found.drop_frame == (form == "DF")
    assert found.clips[0].timecode_in == shown
    assert found.clips[0].record_in == 0


@pytest.mark.parametrize(
    ("shape", "rate"),
    [
        ('<format id="x" name="FFVideoFormat1080p2398"/>', F(24000, 1001)),
        ('<format id="x" name="FFVideoFormat1080i50" width="1920" height="1080"/>', F(25)),
        ('<format id="x" name="FFVideoFormat1080i5994"/>', F(30000, 1001)),
        ('<format id="x" name="FFVideoFormat3840x2160p60"/>', F(60)),
        ('<format id="x" name="FFVideoFormatRateUndefined"/>', F(25)),
    ],
)
def test_formats_without_frame_durations_are_known_by_name(
    tmp_path: Path, shape: str, rate: Fraction
) -> None:
    spine = '<asset-clip ref="cam" name="a" offset="0s" duration="2s"/>'
    found = opened(tmp_path, document(spine, shape, 'format="x"'))
    assert found.rate == rate
    said = "The project's format names no frame rate; 25 frames per second are assumed."
    assert (said in found.edit.losses) == ("Undefined" in shape)


@pytest.mark.parametrize(
    "spine",
    ['<asset-clip ref="cam" offset="1/0s"/>', '<gap duration="two"/>', '<gap offset="1e9s" duration="1s"/>'],
)
def test_times_that_are_none_are_named(tmp_path: Path, spine: str) -> None:
    with pytest.raises(TimelineError, match="is no time"):
        opened(tmp_path, document(spine))


# ---- media


def test_media_begin_with_their_timecode_and_say_where_they_lie(tmp_path: Path) -> None:
    spine = (
        '<asset-clip ref="tc" name="a" offset="0s" start="3601s" duration="2s"/>'
        '<asset-clip ref="tc" name="whole" offset="2s"/><asset-clip ref="mus" name="m" offset="102s" duration="1s"/>'
        '<asset-clip ref="gone" name="g" offset="103s" duration="1s"/>'
    )
    edit = opened(tmp_path, document(spine)).edit
    found = {clip.name: clip for track in edit.tracks if track.kind == "audio" for clip in track.clips}
    assert {name: (c.source_in, c.duration, c.media and c.media.url) for name, c in found.items()} == {
        "a": (3601, 2, "file:///none/tc.mov"),
        "whole": (3600, 100, "file:///none/tc.mov"),
        "m": (0, 1, "file:///none/mus.wav"),
        "g": (0, 1, None),
    }
    assert found["a"].media is not None
    assert found["a"].media.start == 3600


@pytest.mark.parametrize("host", ["", "localhost"])
def test_addresses_are_percent_encoded_and_may_name_this_machine(
    tmp_path: Path, host: str, media: Path
) -> None:
    (tmp_path / "ä b.wav").write_bytes((media / "ten.wav").read_bytes())
    url = (tmp_path / "ä b.wav").as_uri().replace("file://", f"file://{host}")
    asset = f'<asset id="x" start="0s" duration="10s" hasAudio="1"><media-rep src="{url}"/></asset>'
    found = opened(tmp_path, document('<asset-clip ref="x" name="a" offset="0s" duration="2s"/>', asset))
    assert [(clip.state, clip.path) for clip in found.clips] == [("online", tmp_path / "ä b.wav")]


def test_the_original_is_taken_before_its_proxy_and_the_proxy_where_there_is_only_that(
    tmp_path: Path, media: Path
) -> None:
    reps = (
        '<media-rep kind="proxy-media" src="{}"/><media-rep kind="original-media" src="file:///none/o.wav"/>'
    )
    asset = '<asset id="x" start="0s" duration="10s" hasAudio="1">{}</asset>'
    proxy = (media / "ten.wav").as_uri()
    spine = '<asset-clip ref="x" name="a" offset="0s" duration="2s"/>'
    found = opened(tmp_path, document(spine, asset.format(reps.format(proxy))))
    assert found.clips[0].path == media / "ten.wav"
    found = opened(tmp_path, document(spine, asset.format(reps.format("file:///none/p.wav"))))
    assert "o.wav" in found.clips[0].reason


def test_bundles_hold_their_document_and_relative_media(tmp_path: Path, media: Path) -> None:
    bundle = tmp_path / "cut.fcpxmld"
    (bundle / "Media").mkdir(parents=True)
    (bundle / "Media" / "t n.wav").write_bytes((media / "ten.wav").read_bytes())
    asset = '<asset id="x" start="0s" duration="9s" hasAudio="1"><media-rep src="./Media/t%20n.wav"/></asset>'
    text = document('<asset-clip ref="x" name="a" offset="0s" duration="2s"/>', asset)
    (bundle / "Info.fcpxml").write_text(text)
    assert [clip.state for clip in open_timeline(bundle).clips] == ["online"]
    (bundle / "Info.fcpxml").rename(bundle / "other.fcpxml")
    assert len(open_timeline(bundle).clips) == 1
    (bundle / "other.fcpxml").unlink()
    with pytest.raises(TimelineError, match=r"Final Cut bundle without its Info\.fcpxml; export it again"):
        open_timeline(bundle)


# ---- the story


def test_connected_clips_lie_on_their_parents_clock(tmp_path: Path) -> None:
    spine = """
    <gap offset="0s" start="3600s" duration="2s"><asset-clip ref="mus" lane="-2" name="m" offset="3601s" start="5s"
     duration="4s" audioRole="music"/></gap>
    <asset-clip ref="tc" name="a" offset="2s" start="3610s" duration="3s" audioRole="dialogue">
      <asset-clip ref="cam" lane="1" name="over" offset="3611s" start="7s" duration="5s" srcEnable="video">
        <asset-clip ref="mus" lane="-1" name="fx" offset="8s" start="1/2s" duration="1s" audioRole="effects"/>
      </asset-clip>
      <asset-clip ref="mus" lane="-1" name="fx2" offset="3612s" start="0s" duration="1s" audioRole="effects"/>
    </asset-clip>"""
    edit = opened(tmp_path, document(spine)).edit
    assert rows(edit) == [
        ("dialogue", "a", 2, 5, 3610),
        ("music", "m", 1, 5, 5),
        ("effects", "fx2", 4, 5, 0),
        ("effects 2", "fx", 4, 5, F(1, 2)),
    ]
    assert rows(edit, "video") == [("Video 1", "a", 2, 5, 3610), ("Video 2", "over", 3, 8, 7)]
    assert apart(edit)


def test_storylines_in_lanes_count_from_their_own_start(tmp_path: Path) -> None:
    spine = """
    <asset-clip ref="cam" name="a" offset="0s" start="10s" duration="20s" srcEnable="video">
      <spine lane="1" offset="12s"><asset-clip ref="cam" name="b" offset="0s" start="1s" duration="2s"/>
        <gap duration="1s"/><asset-clip ref="cam" name="c" duration="2s"/></spine></asset-clip>"""
    edit = opened(tmp_path, document(spine)).edit
    wanted = [("Audio 1", "b", 2, 4, 1), ("Audio 1", "c", 5, 7, 0)]
    assert rows(edit) == wanted
    assert [row[1:] for row in rows(edit, "video")] == [("a", 0, 20, 10), *(row[1:] for row in wanted)]


def test_pictures_lie_over_each_other_as_their_lanes_do(tmp_path: Path) -> None:
    clip = '<video ref="cam" lane="{0}" name="{1}" offset="0s" duration="2s">{2}</video>'
    inner = clip.format(1, "over b", "")
    spine = f"""<asset-clip ref="cam" name="a" offset="0s" duration="2s">{clip.format(-1, "under", "")}
    {clip.format(2, "c", "")}{clip.format(1, "b", inner)}</asset-clip>"""
    edit = opened(tmp_path, document(spine)).edit
    assert [row[1] for row in rows(edit, "video")] == ["under", "a", "b", "over b", "c"]


def test_sound_may_be_split_off_its_picture(tmp_path: Path) -> None:
    spine = """<asset-clip ref="cam" name="a" offset="0s" start="10s" duration="5s"/>
    <asset-clip ref="cam" name="b" offset="5s" start="50s" duration="5s" audioStart="48s" audioDuration="8s"/>"""
    edit = opened(tmp_path, document(spine)).edit
    assert rows(edit) == [("Audio 1", "a", 0, 5, 10), ("Audio 2", "b", 3, 11, 48)]
    assert [row[2:4] for row in rows(edit, "video")] == [(0, 5), (5, 10)]


def test_clips_of_one_element_are_linked(tmp_path: Path) -> None:
    spine = (
        '<asset-clip ref="cam" offset="0s" duration="2s"/><asset-clip ref="cam" offset="2s" duration="2s"/>'
    )
    links = [[clip.link for clip in track.clips] for track in opened(tmp_path, document(spine)).edit.tracks]
    assert links[0] == links[1]
    assert len(set(links[0])) == 2


def test_what_is_switched_off_is_off_and_its_connected_clips_are_not(tmp_path: Path) -> None:
    spine = """<asset-clip ref="cam" name="off" offset="0s" duration="2s" enabled="0">
      <asset-clip ref="mus" lane="-1" name="on" offset="0s" duration="2s"/></asset-clip>
      <clip name="off too" offset="2s" duration="2s" enabled="0"><audio ref="mus" duration="2s"/></clip>"""
    found = opened(tmp_path, document(spine))
    assert [row[1] for row in rows(found.edit)] == ["on"]
    assert [row[1] for row in rows(found.edit, disabled=True)] == ["off", "off too"]
    assert {clip.name: clip.state for clip in found.clips}["off"] == "disabled"


def test_clips_consist_of_picture_and_sound_of_their_own_name(tmp_path: Path) -> None:
    spine = """<clip name="take" offset="0s" start="3602s" duration="3s">
      <video ref="tc" name="v" offset="3600s" start="3600s" duration="100s">
        <audio ref="tc" lane="-1" offset="3600s" start="3600s" duration="100s" role="dialogue.boom" srcID="1"
         srcCh="2"/>
      </video>
      <clip name="guest" lane="1" offset="3604s" duration="9s"><video ref="cam" offset="0s" duration="100s"/></clip>
    </clip>"""
    edit = opened(tmp_path, document(spine)).edit
    assert rows(edit) == [("boom", "take", 0, 3, 3602)]
    assert rows(edit, "video") == [("Video 1", "take", 0, 3, 3602), ("Video 2", "guest", 2, 11, 0)]
    assert edit.tracks[2].clips[0].channels == (1,)


def test_titles_and_generators_are_seen_through(tmp_path: Path) -> None:
    spine = """<video ref="title" name="Bars" offset="0s" start="3600s" duration="2s">
      <title ref="title" lane="1" name="Name" offset="3600s" start="3600s" duration="1s"/></video>"""
    edit = opened(tmp_path, document(spine)).edit
    assert [(c.name, c.title) for t in edit.tracks for c in t.clips] == [("Bars", True), ("Name", True)]
    assert rows(edit) == []


def test_auditions_play_their_pick(tmp_path: Path) -> None:
    spine = """<audition offset="0s"><asset-clip ref="cam" name="pick" duration="2s"/>
      <asset-clip ref="cam" name="other" duration="5s"/></audition>
      <gap duration="3s"><audition lane="-1" offset="1s"><asset-clip ref="mus" name="low" duration="1s"/></audition>
      </gap>"""
    edit = opened(tmp_path, document(spine)).edit
    assert [row[1:4] for row in rows(edit)] == [("pick", 0, 2), ("low", 3, 4)]


# ---- clips of clips


def test_synchronized_clips_play_what_their_window_shows(tmp_path: Path) -> None:
    sync = """<sync-clip name="s" offset="0s" start="10s" duration="4s">{}
      <sync-source sourceID="storyline"><audio-role-source role="dialogue.dialogue-1" active="0"/></sync-source>
      </sync-clip>"""
    inside = """<asset-clip ref="cam" name="v" offset="0s" start="20s" duration="60s" audioRole="dialogue">{0}
      </asset-clip>{1}"""
    rec = '<asset-clip ref="mus" lane="-1" name="rec" offset="{}s" duration="90s" audioRole="dialogue"/>'
    nested = f"<spine>{inside.format(rec.format(22), '')}</spine>"
    for text, source in ((nested, 8), (inside.format("", rec.format(2)), 8)):
        edit = opened(tmp_path, document(sync.format(text))).edit
        assert rows(edit) == [("dialogue 2", "rec", 0, 4, source)]
        assert rows(edit, disabled=True) == [("dialogue", "v", 0, 4, 30)]
        assert rows(edit, "video") == [("Video 1", "v", 0, 4, 30)]


MULTICAM = """<media id="mc" name="M"><multicam format="f25" tcStart="100s"><mc-angle name="A" angleID="a">
  <asset-clip ref="cam" name="A1" offset="100s" start="5s" duration="10s" audioRole="dialogue"/>
  <asset-clip ref="cam" name="A2" offset="110s" start="50s" duration="10s" audioRole="dialogue"/></mc-angle>
  <mc-angle name="R" angleID="r"><gap offset="100s" duration="2s"/>
  <asset-clip ref="mus" name="rec" offset="102s" duration="50s" audioRole="dialogue"/></mc-angle></multicam></media>"""


def test_multicam_clips_play_their_active_angles(tmp_path: Path) -> None:
    spine = """<mc-clip ref="mc" name="m" offset="0s" start="108s" duration="4s">
      <mc-source angleID="a" srcEnable="video"/><mc-source angleID="r" srcEnable="audio"/></mc-clip>
      <mc-clip ref="mc" name="m" offset="4s" start="100s" duration="4s"/>
      <mc-clip ref="mc" name="m" offset="8s" start="109s" duration="2s"><mc-source angleID="x" srcEnable="audio"/>
      <mc-source angleID="a" srcEnable="all"/></mc-clip>"""
    edit = opened(tmp_path, document(spine, MULTICAM)).edit
    assert rows(edit) == [
        ("dialogue", "rec", 0, 4, 6),
        ("dialogue", "A1", 4, 8, 5),
        ("dialogue", "A1", 8, 9, 14),
        ("dialogue", "A2", 9, 10, 50),
    ]
    assert [row[1:] for row in rows(edit, "video")] == [
        ("A1", 0, 2, 13),
        ("A2", 2, 4, 50),
        ("A1", 4, 8, 5),
        ("A1", 8, 9, 14),
        ("A2", 9, 10, 50),
    ]
    assert any("An angle of “m” is left out" in sentence for sentence in edit.unheard)
    laned = MULTICAM.replace('name="rec" offset', 'name="rec" lane="1" offset')
    assert rows(opened(tmp_path, document(spine, laned)).edit)[0][1] == "rec"


COMPOUND = """<media id="in" name="In"><sequence format="f25" tcStart="50s" duration="8s"><spine>
  <asset-clip ref="cam" name="v" offset="50s" start="1s" duration="4s" audioRole="dialogue">
  <asset-clip ref="mus" lane="-1" name="m" offset="2s" duration="9s" audioRole="music"/></asset-clip>
  <asset-clip ref="cam" name="w" offset="54s" start="30s" duration="4s" audioRole="dialogue"/></spine></sequence>
</media><media id="out" name="Out"><sequence format="f25" tcStart="0s" duration="10s"><spine>
  <gap offset="0s" duration="1s"/>
  <ref-clip ref="in" name="In" offset="1s" start="52s" duration="5s"/></spine></sequence></media>"""


def test_compound_clips_are_opened_however_deep(tmp_path: Path) -> None:
    spine = '<ref-clip ref="out" name="Out" offset="0s" start="2s" duration="3s"/>'
    edit = opened(tmp_path, document(spine, COMPOUND)).edit
    assert rows(edit) == [
        ("dialogue", "v", 0, 1, 4),
        ("dialogue", "w", 1, 3, 30),
        ("music", "m", 0, 3, 2),
    ]
    for role, heard in (
        ("music.music-1", ["v", "w"]),
        ("music", ["v", "w"]),
        ("music.score", ["v", "w", "m"]),
    ):
        muted = spine.replace("/>", f'><audio-role-source role="{role}" active="0"/></ref-clip>')
        assert [row[1] for row in rows(opened(tmp_path, document(muted, COMPOUND)).edit)] == heard
    silent = spine.replace(" name", ' srcEnable="video" name')
    assert rows(opened(tmp_path, document(silent, COMPOUND)).edit) == []


def test_compound_clips_of_themselves_and_of_nothing_are_said(tmp_path: Path) -> None:
    loop = """<media id="x" name="X"><sequence format="f25" duration="5s"><spine><ref-clip ref="x" name="X" offset="0s"
      duration="5s"/><asset-clip ref="cam" name="a" offset="5s" duration="1s"/></spine></sequence></media>"""
    clip = '<ref-clip ref="{}" name="{}" offset="{}s" duration="6s"/>'
    spine = clip.format("x", "X", 0) + clip.format("no", "N", 6)
    edit = opened(tmp_path, document(spine, loop)).edit
    assert [row[1:4] for row in rows(edit)] == [("a", 5, 6)]
    assert "“X” is left out: it holds itself." in edit.unheard
    assert "“N” is left out: the document does not have its contents." in edit.unheard


def test_compound_clips_that_grow_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightmix.plugin.timeline.fcpxml.walk.MOST", 2000)
    media = '<media id="c{}"><sequence format="f25" duration="1s"><spine>{}</spine></sequence></media>'
    twice = '<ref-clip ref="c{0}" offset="0s" duration="1s"/><ref-clip ref="c{0}" offset="0s" duration="1s"/>'
    nests = "".join(media.format(i, twice.format(i + 1)) for i in range(30))
    with pytest.raises(TimelineError, match="more than 2000 clips; split the project"):
        opened(tmp_path, document('<ref-clip ref="c0" offset="0s" duration="1s"/>', nests))


# ---- sound


def test_channels_have_roles_of_their_own(tmp_path: Path) -> None:
    spine = """<asset-clip ref="cam" name="a" offset="0s" duration="4s" audioRole="dialogue">
      <audio-channel-source srcCh="1" role="dialogue.boom"/>
      <audio-channel-source srcCh="2" role="effects.atmo"><adjust-volume amount="-6dB"/></audio-channel-source>
      <audio-channel-source srcCh="1, 2" role="music" enabled="0"/></asset-clip>"""
    found = opened(tmp_path, document(spine))
    tracks = [track for track in found.edit.tracks if track.kind == "audio"]
    assert [(t.name, t.clips[0].channels, t.clips[0].gain and t.clips[0].gain.db[0]) for t in tracks] == [
        ("boom", (0,), None),
        ("atmo", (1,), -6.0),
    ]
    assert [held(found).clips[clip.index].kind for clip in found.clips] == ["dialogue", "effects"]


def test_every_stream_of_a_file_sounds(tmp_path: Path) -> None:
    spine = '<asset-clip ref="two" name="a" offset="0s" duration="4s" audioRole="dialogue"/>'
    edit = opened(tmp_path, document(spine)).edit
    assert rows(edit) == [("dialogue", "a", 0, 4, 0), ("dialogue 2", "a", 0, 4, 0)]
    assert [track.clips[0].channels for track in edit.tracks] == [(0,), (1,)]


def test_a_stream_that_is_not_in_the_file_plays_nothing(tmp_path: Path, media: Path) -> None:
    asset = f"""<asset id="x" start="0s" duration="9s" hasAudio="1" audioSources="2"><media-rep
      src="{(media / "ten.wav").as_uri()}"/></asset>"""
    found = opened(tmp_path, document('<asset-clip ref="x" name="a" offset="0s" duration="2s"/>', asset))
    assert [(c.state, c.reason) for c in found.clips] == [
        ("online", ""),
        ("unsupported", "It plays stream 2 of sound in a file that has 1."),
    ]


def test_levels_fades_and_keyframes_lie_on_the_clips_own_clock(tmp_path: Path) -> None:
    spine = """<asset-clip ref="tc" name="a" offset="0s" start="3605s" duration="8s"><adjust-volume amount="-3dB">
      <param name="amount"><fadeIn type="linear" duration="1/2s"/><fadeOut duration="3/2s"/><keyframeAnimation>
      <keyframe time="3606s" value="-12dB"/><keyframe time="3609s" value="4"/></keyframeAnimation></param>
      </adjust-volume></asset-clip>
      <asset-clip ref="cam" name="b" offset="8s" duration="2s"><adjust-volume amount="-inf"/></asset-clip>"""
    one, two = opened(tmp_path, document(spine)).edit.tracks[1].clips
    assert (one.fade_in, one.fade_out) == (F(1, 2), F(3, 2))
    assert one.gain is not None
    assert two.gain is not None
    levels = [keyframes.at(one.gain, F(t)) for t in (0, 1, 2, 4, 7)]
    assert levels == pytest.approx([-12, -12, -12 + 16 / 3, 4, 4], abs=1e-6)
    assert two.gain.db[0] == keyframes.SILENCE_DB


def test_levels_of_compound_clips_add_up(tmp_path: Path) -> None:
    spine = """<ref-clip ref="in" name="In" offset="0s" start="51s" duration="4s"><adjust-volume amount="-6dB">
      <param name="amount"><fadeIn duration="1s"/></param></adjust-volume>
      <audio-role-source role="music.music-1"><adjust-volume amount="-4dB"/></audio-role-source></ref-clip>"""
    tracks = [t for t in opened(tmp_path, document(spine, COMPOUND)).edit.tracks if t.kind == "audio"]
    found = {
        clip.name: (clip.gain and set(clip.gain.db), clip.fade_in) for track in tracks for clip in track.clips
    }
    assert found == {"v": ({-6.0}, 1), "m": ({-10.0}, 1), "w": ({-6.0}, 0)}


def test_fades_of_components_and_of_trimmed_clips_stay_where_they_are(tmp_path: Path) -> None:
    fade = """<adjust-volume><param name="amount"><fadeIn duration="{}s"/><fadeOut duration="2s"/></param>
      </adjust-volume>"""
    inner = f"""<media id="in" name="In"><sequence format="f25" duration="10s"><spine>
      <asset-clip ref="cam" name="v" offset="0s" duration="10s">{fade.format(4)}</asset-clip></spine>
      </sequence></media>"""
    spine = f"""<asset-clip ref="cam" name="a" offset="0s" duration="8s"><audio-channel-source srcCh="1, 2">
      {fade.format(1)}</audio-channel-source></asset-clip>
      <ref-clip ref="in" name="In" offset="8s" start="2s" duration="6s">{fade.format(1)}</ref-clip>"""
    one, two = opened(tmp_path, document(spine, inner)).edit.tracks[1].clips
    assert (one.fade_in, one.fade_out, one.gain) == (1, 2, None)
    assert (two.fade_in, two.fade_out) == (1, 2)
    assert two.gain is not None
    assert [keyframes.at(two.gain, F(t)) for t in (0, 1, 2, 6)] == pytest.approx([-6, -2.5, 0, 0], abs=0.1)


def test_roles_with_and_without_their_usual_subrole_share_a_track(tmp_path: Path) -> None:
    spine = """<asset-clip ref="cam" name="a" offset="0s" duration="2s" audioRole="dialogue"/>
      <asset-clip ref="cam" name="b" offset="2s" duration="2s" audioRole="dialogue.dialogue-1"/>
      <asset-clip ref="cam" name="c" offset="4s" duration="2s" audioRole="music.music-1"/>"""
    found = rows(opened(tmp_path, document(spine)).edit)
    assert [row[:2] for row in found] == [("dialogue", "a"), ("dialogue", "b"), ("music", "c")]


def test_mutes_silence_what_they_cover(tmp_path: Path) -> None:
    spine = """<asset-clip ref="cam" name="a" offset="0s" start="10s" duration="8s"><audio-channel-source srcCh="1, 2">
      <mute start="12s" duration="2s"/></audio-channel-source></asset-clip>
      <asset-clip ref="cam" name="b" offset="8s" duration="8s"><audio-channel-source srcCh="1, 2"><mute/>
      </audio-channel-source></asset-clip>"""
    audio = opened(tmp_path, document(spine)).edit.tracks[1].clips
    assert [clip.name for clip in audio] == ["a"]
    line = audio[0].gain
    assert line is not None
    levels = [keyframes.at(line, t) for t in (F(1), F(2), F(2001, 1000), F(3), F(3999, 1000), F(4))]
    assert levels == pytest.approx([0, 0, -96, -96, -96, 0], abs=1e-3)


def test_pans_and_effects_are_said(tmp_path: Path) -> None:
    spine = """<asset-clip ref="mus" name="a" offset="0s" duration="8s"><adjust-panner mode="1" amount="-50"/>
      <adjust-noiseReduction amount="3"/><filter-audio ref="fx" name="AUReverb"/>
      <filter-audio ref="fx" name="Off" enabled="0"/></asset-clip>"""
    edit = opened(tmp_path, document(spine)).edit
    pan = edit.tracks[0].clips[0].pan
    assert pan is not None
    assert pan.places == (-0.5,)
    effects = [sentence for sentence in edit.unheard if "effect" in sentence]
    assert [name in " ".join(effects) for name in ("Noise Removal", "AUReverb", "Pan", "Off")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_transitions_lie_over_their_cuts(tmp_path: Path) -> None:
    both = '<transition name="{}" offset="{}s" duration="1s"><filter-video/><filter-audio/></transition>'
    spine = f"""<asset-clip ref="cam" name="a" offset="0s" start="5s" duration="4s"/>
      {both.format("Dissolve", "7/2")}
      <asset-clip ref="cam" name="b" offset="4s" start="20s" duration="4s" audioRole="effects"/>
      <transition name="Picture only" offset="15/2s" duration="1s"><filter-video/></transition>
      <clip name="c" offset="8s" start="3s" duration="4s"><video ref="cam" offset="0s" duration="100s">
        <audio ref="cam" lane="-1" offset="0s" duration="100s" role="effects"/></video></clip>
      {both.format("Out", "11")}"""
    edit = opened(tmp_path, document(spine)).edit
    found = {
        track.name: [(t.cut, t.before, t.after, t.side, t.name) for t in track.transitions]
        for track in edit.tracks
    }
    half = F(1, 2)
    assert found == {
        "Video 1": [
            (4, half, half, "both", "Dissolve"),
            (8, half, half, "both", "Picture only"),
            (12, 1, 0, "out", "Out"),
        ],
        "effects": [(4, half, half, "in", "Dissolve"), (12, 1, 0, "out", "Out")],
        "Audio 2": [(4, half, half, "out", "Dissolve")],
    }


def test_a_transition_is_not_shared_with_a_stranger_that_begins_at_its_cut(tmp_path: Path) -> None:
    spine = """<asset-clip ref="mus" name="a" offset="0s" start="5s" duration="4s" audioRole="music">
      <asset-clip ref="mus" lane="-1" name="x" offset="9s" start="5s" duration="2s" audioRole="music"/></asset-clip>
      <transition name="Dissolve" offset="7/2s" duration="1s"><filter-audio/></transition>
      <asset-clip ref="mus" name="b" offset="4s" start="20s" duration="4s" audioRole="effects"/>"""
    tracks = opened(tmp_path, document(spine)).edit.tracks
    assert [[clip.name for clip in track.clips] for track in tracks] == [["a"], ["x"], ["b"]]
    assert [[(t.cut, t.side) for t in track.transitions] for track in tracks] == [
        [(4, "out")],
        [],
        [(4, "in")],
    ]


# ---- speeds


def test_retimes_are_exact(tmp_path: Path) -> None:
    ramp = (
        '<timeMap><timept time="{}s" value="{}s" interp="smooth2"/><timept time="{}s" value="{}s"/></timeMap>'
    )
    spine = f"""
      <asset-clip ref="cam" name="double" offset="0s" start="5s" duration="4s">{ramp.format(0, 0, 50, 100)}</asset-clip>
      <asset-clip ref="cam" name="back" offset="4s" start="10s" duration="4s">{ramp.format(0, 100, 100, 0)}</asset-clip>
      <asset-clip ref="cam" name="held" offset="8s" start="1s" duration="4s">{ramp.format(0, 7, 9, 7)}</asset-clip>
      <asset-clip ref="tc" name="slow" offset="12s" start="3610s" duration="4s">{ramp.format(0, 0, 200, 100)}
      </asset-clip><asset-clip ref="tc" name="own" offset="16s" start="7204s"
       duration="4s">{ramp.format(7200, 3600, 7400, 3700)}
      </asset-clip><asset-clip ref="tc" name="zero" offset="20s" start="10s"
       duration="4s">{ramp.format(0, 0, 200, 100)}</asset-clip>"""
    clips = opened(tmp_path, document(spine)).edit.tracks[0].clips
    assert [(c.name, c.source_in, c.speed, c.duration) for c in clips] == [
        ("double", 10, 2, 4),
        ("back", 90, -1, 4),
        ("held", 7, 0, 4),
        ("slow", 3605, F(1, 2), 4),
        ("own", 3602, F(1, 2), 4),
        ("zero", 3605, F(1, 2), 4),
    ]


def test_speed_ramps_keep_their_points_and_easing_is_said(tmp_path: Path) -> None:
    points = "".join(
        f'<timept time="{t}s" value="{v}s" interp="smooth2"/>' for t, v in ((0, 0), (2, 2), (4, 6), (9, 6))
    )
    ramp = f"<timeMap>{points}</timeMap>"
    spine = f'<asset-clip ref="cam" name="a" offset="0s" start="1s" duration="6s">{ramp}</asset-clip>'
    edit = opened(tmp_path, document(spine)).edit
    assert edit.tracks[1].clips[0].ramp == ((0, 1), (1, 2), (3, 6), (6, 6))
    assert "Speed changes that ease are read as straight lines (1 clip)." in edit.unheard
    frozen = points.replace('value="2s"', 'value="0s"')
    edit = opened(tmp_path, document(spine.replace(points, frozen).replace('start="1s"', 'start="0s"'))).edit
    found = [float(value) for point in edit.tracks[1].clips[0].ramp for value in point]
    assert found == pytest.approx([0, 0, 2, 0, 4, 6, 6, 6], abs=1e-6)


@pytest.mark.parametrize(
    ("words", "speed"),
    [
        ('srcFrameRate="24"', F(25, 24)),
        ('srcFrameRate="23.98"', F(25 * 1001, 24000)),
        ('srcFrameRate="50"', F(1)),
        ('srcFrameRate="29.97"', F(1)),
        ('scaleEnabled="0" srcFrameRate="24"', F(1)),
        ('srcFrameRate="nonsense"', F(1)),
    ],
)
def test_conformed_rates_change_the_speed(tmp_path: Path, words: str, speed: Fraction) -> None:
    spine = f"""<asset-clip ref="cam" name="a" offset="0s" start="10s" duration="4s"><conform-rate {words}/>
      </asset-clip><asset-clip ref="tc" name="b" offset="4s" start="3610s"
       duration="4s"><conform-rate {words}/></asset-clip>"""
    one, two = opened(tmp_path, document(spine)).edit.tracks[1].clips
    assert (one.source_in, one.speed) == (10 * speed, speed)
    assert (two.source_in, two.speed) == (3600 + 10 * speed, speed)


def test_retimed_compound_clips_retime_what_is_in_them(tmp_path: Path) -> None:
    ramp = '<timeMap><timept time="50s" value="50s"/><timept time="54s" value="58s"/></timeMap>'
    spine = f"""<ref-clip ref="in" name="In" offset="0s" start="51s" duration="2s">{ramp}
      <asset-clip ref="mus" lane="-1" name="own" offset="52s" duration="3s" audioRole="effects"/></ref-clip>"""
    edit = opened(tmp_path, document(spine, COMPOUND)).edit
    found = {
        c.name: (c.start, c.end, c.source_in, c.speed)
        for t in edit.tracks
        if t.kind == "audio"
        for c in t.clips
    }
    assert found == {
        "v": (0, 1, 3, 2),
        "w": (1, 2, 30, 2),
        "m": (0, 2, 1, 2),
        "own": (1, 4, 0, 1),
    }
    assert [row[1:] for row in rows(edit, "video")] == [("v", 0, 1, 3), ("w", 1, 2, 30)]
    back = ramp.replace('value="58s"', 'value="50s"').replace('value="50s"', 'value="58s"', 1)
    clips = opened(tmp_path, document(spine.replace(ramp, back), COMPOUND)).clips
    assert {clip.name: clip.state for clip in clips}["v"] == "unsupported"
    assert "speed is not steady; render that clip first" in clips[0].reason


# ---- documents


def test_markers_notes_and_keywords_come_along(tmp_path: Path) -> None:
    spine = """<asset-clip ref="tc" name="a" offset="0s" start="3610s" duration="4s"><note>wind noise</note>
      <marker start="3611s" duration="100/2500s" value="look" note="here"/><chapter-marker start="3612s" value="two"/>
      <marker start="3600s" value="unseen"/><keyword start="3600s" duration="9s" value="night"/>
      <metadata><md key="com.apple.proapps.studio.reel" value="R1"/></metadata></asset-clip>"""
    edit = opened(tmp_path, document(spine)).edit
    assert [(m.start, m.duration, m.name, m.note, m.color) for m in edit.markers] == [
        (1, F(1, 25), "look", "here", "BLUE"),
        (2, 0, "two", "", "ORANGE"),
    ]
    clip = edit.tracks[1].clips[0]
    assert clip.notes == "wind noise"
    assert clip.metadata["fcpx"]["keywords"] == ["night"]
    assert clip.metadata["fcpx"]["metadata"] == {"com.apple.proapps.studio.reel": "R1"}


def test_one_of_several_projects_is_chosen_by_name_or_number(tmp_path: Path) -> None:
    one = document('<asset-clip ref="cam" name="a" offset="0s" duration="2s"/>')
    project = one[one.index("<project") : one.index("</event>")]
    second = project.replace('name="p"', 'name="q"').replace('name="a"', 'name="b"')
    path = tmp_path / "two.fcpxml"
    path.write_text(one.replace("</library>", f'<event name="f">{second}</event></library>'))
    assert list_timelines(path) == ("p", "q")
    assert open_timeline(path).clips[0].name == "a"
    assert open_timeline(path, timeline="q").clips[0].name == "b"
    assert open_timeline(path, timeline=2).clips[0].name == "b"


def test_documents_without_a_project_give_their_clips(tmp_path: Path) -> None:
    head = document("")
    head = head[: head.index("<library>")]
    path = tmp_path / "clips.fcpxml"
    clip = '<asset-clip ref="tc" name="a" start="3601s" duration="2s" lane="1" offset="50s"/>'
    path.write_text(f'{head}<event name="e">{clip}<keyword-collection name="k"/></event></fcpxml>')
    found = open_timeline(path)
    assert (found.name, found.rate, rows(found.edit)) == ("a", 25, [("Audio 1", "a", 0, 2, 3601)])
    path.write_text(f"{head}</fcpxml>".replace("</resources>", f"{COMPOUND}</resources>"))
    assert list_timelines(path) == ("In", "Out")
    path.write_text(f"{head}</fcpxml>")
    with pytest.raises(TimelineError, match="without a project or clips; export the project"):
        open_timeline(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<fcpxml", "cannot be read as FCPXML"),
        ("", "is empty; export the timeline again"),
        ('<!DOCTYPE fcpxml [<!ENTITY a "aa">]><fcpxml>&a;</fcpxml>', "it declares entities of its own"),
        (
            '<!DOCTYPE fcpxml [<!ENTITY a SYSTEM "file:///etc/passwd">]><fcpxml>&a;</fcpxml>',
            "entities of its own",
        ),
        ("<fcpxml>" + "<gap>" * 500 + "</gap>" * 500 + "</fcpxml>", "more than 400 deep in each other"),
    ],
)
def test_documents_that_are_none_get_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TimelineError, match=words) as raised:
        opened(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_document_type_definitions_are_never_fetched(tmp_path: Path) -> None:
    text = document('<asset-clip ref="cam" name="a" offset="0s" duration="2s"/>')
    text = text.replace("<!DOCTYPE fcpxml>", '<!DOCTYPE fcpxml SYSTEM "http://127.0.0.1:9/FCPXMLv1_10.dtd">')
    assert len(opened(tmp_path, text).clips) == 1


def test_captions_and_clips_without_length_are_said(tmp_path: Path) -> None:
    spine = """<asset-clip ref="cam" name="a" offset="0s" duration="2s"><caption lane="1" offset="0s" duration="1s"/>
      </asset-clip>
      <asset-clip ref="gone" name="g" offset="2s"/>"""
    losses = opened(tmp_path, document(spine)).edit.losses
    assert "Captions are left out (1 clip)." in losses
    assert "Clips without a length are left out (1 clip)." in losses
