"""Layouts: speakers, weights, downmixes, names and the way from one to another."""

import av
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sightmix.engine.errors import SettingsError
from sightmix.engine.media import layout as module
from sightmix.engine.media.layout import Layout

HALF = 0.5**0.5
NAMES = tuple(module._NAMED)
MASKED = module._MASKED

names = st.sampled_from(NAMES)
layouts = names.map(Layout.named)
subsets = st.sets(st.sampled_from(module._ORDER), min_size=1, max_size=24).map(tuple)
orders = subsets.flatmap(st.permutations).map(lambda found: Layout(tuple(found)))
counts = st.integers(1, 40)


def routed(source: str, target: str) -> dict[str, dict[str, float]]:
    """Gains by the target's speakers for every speaker of the source, without what is nought."""
    one, other = Layout.named(source), Layout.named(target)
    matrix = one.routing(other)
    return {
        s: {t: round(float(matrix[j, i]), 4) for j, t in enumerate(other.speakers) if matrix[j, i]}
        for i, s in enumerate(one.speakers)
    }


# ---- names, masks and orders


@pytest.mark.parametrize("name", NAMES)
def test_named_layouts_are_ffmpegs(name):
    try:
        theirs = tuple(channel.name for channel in av.AudioLayout(name).channels)
    except ValueError:
        pytest.skip("this FFmpeg does not know it")
    layout = Layout.named(name)
    assert layout.speakers == theirs
    assert layout.ffmpeg == name
    assert av.AudioLayout(layout.ffmpeg).nb_channels == layout.channels


@given(orders)
def test_speakers_survive_their_name(layout):
    assert Layout.named(layout.ffmpeg) == layout
    assert Layout.named(f"{layout.channels} channels ({'+'.join(layout.speakers)})") == layout


@given(orders)
def test_wav_order_is_a_permutation_and_final(layout):
    again = layout.in_wav_order()
    assert sorted(layout.wav_order) == list(range(layout.channels))
    assert again.in_wav_order() == again
    assert [layout.speakers[i] for i in layout.wav_order] == list(again.speakers)


@given(st.sets(st.sampled_from(MASKED), min_size=1))
def test_masks_survive(speakers):
    layout = Layout(tuple(speakers)).in_wav_order()
    assert bin(layout.mask).count("1") == layout.channels
    assert Layout.of_mask(layout.mask, layout.channels) == layout


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("mono", 0x4), ("stereo", 0x3), ("2.1", 0xB), ("3.0", 0x7), ("3.1", 0xF), ("quad", 0x33),
        ("quad(side)", 0x603), ("4.0", 0x107), ("4.1", 0x10F), ("5.0", 0x37), ("5.0(side)", 0x607),
        ("5.1", 0x3F), ("5.1(side)", 0x60F), ("6.0", 0x707), ("6.1", 0x70F), ("7.0", 0x637), ("7.1", 0x63F),
        ("7.1(wide)", 0xFF), ("7.1.2", 0x563F), ("7.1.4", 0x2D63F), ("9.1.6", 0), ("5.1film", 0),
        ("12 channels", 0),
    ],
)  # fmt: skip
def test_masks_of_the_wave_format(name, mask):
    assert Layout.named(name).mask == mask


def test_a_mask_for_other_channels_says_nothing():
    assert Layout.of_mask(0x3, 6) == Layout.of_count(6)
    assert Layout.of_mask(0, 12) == Layout.discrete(12)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Mono", "mono"), ("STEREO", "stereo"), ("LRC", "3.0"), ("Quad", "quad"), ("5.1", "5.1"),
        ("Adaptive 6", "5.1"), ("adaptive2", "stereo"), ("6 channels", "5.1"), ("1 channels", "mono"),
        ("7.0", "7.0"), ("LRCS", "4.0"), ("2.0", "stereo"), ("FL+FR+FC", "3.0"),
        ("6 channels (FL@Left+FR+FC+LFE+SL+SR)", "5.1(side)"),
    ],
)  # fmt: skip
def test_hosts_names(said, name):
    assert Layout.named(said).ffmpeg == name


def test_film_order_becomes_wav_order():
    film = Layout.named("5.1film")
    assert film.speakers == ("FL", "FC", "FR", "BL", "BR", "LFE")
    assert film.in_wav_order() == Layout.named("5.1")
    assert film.wav_order == (0, 2, 1, 5, 3, 4)


@pytest.mark.parametrize("text", ["", "nonsense", "0 channels", "FL+FL", "5.1+FL", "FL+XX"])
def test_what_is_no_layout_is_refused(text):
    with pytest.raises(SettingsError, match="is not a channel layout"):
        Layout.named(text)


@given(counts)
def test_a_count_alone_has_so_many_channels(channels):
    layout = Layout.of_count(channels)
    assert layout.channels == channels
    assert layout.placed == (channels <= 8)
    assert Layout.named(f"Adaptive {channels}") == layout


@pytest.mark.parametrize(
    ("name", "figures", "labels"),
    [
        ("mono", "1.0", "M"), ("stereo", "2.0", "L R"), ("3.0", "3.0", "L R C"), ("quad", "4.0", "L R Ls Rs"),
        ("4.0", "4.0", "L R C Cs"), ("5.0", "5.0", "L R C Ls Rs"), ("5.1", "5.1", "L R C LFE Ls Rs"),
        ("5.1(side)", "5.1", "L R C LFE Ls Rs"), ("6.1", "6.1", "L R C LFE Cs Ls Rs"),
        ("7.0", "7.0", "L R C Lrs Rrs Ls Rs"), ("7.1", "7.1", "L R C LFE Lrs Rrs Ls Rs"),
        ("7.1.4", "7.1.4", "L R C LFE Lrs Rrs Ls Rs Ltf Rtf Ltr Rtr"), ("9 channels", "9.0", "1 2 3 4 5 6 7 8 9"),
    ],
)  # fmt: skip
def test_names_for_people(name, figures, labels):
    layout = Layout.named(name)
    assert layout.figures == figures
    assert " ".join(layout.labels) == labels


@given(orders)
def test_labels_are_distinct(layout):
    assume({"FC"} != set(layout.speakers))
    assert len(set(layout.labels)) == layout.channels


def test_the_layouts_of_a_files_name():
    assert Layout.called("4.0")[0] == Layout.named("quad")
    assert Layout.named("4.0") in Layout.called("4.0")
    assert Layout.called("5.1")[0] == Layout.named("5.1")
    assert Layout.called("3.3") == ()


def test_hosts_track_types():
    said = [Layout.of_count(n).resolve for n in range(1, 10)]
    assert said == ["mono", "stereo", "lrc", "quad", "5.0", "5.1", "7.0", "7.1", "adaptive9"]
    assert Layout.named("5.1(side)").resolve == "5.1"
    assert Layout.named("6.1").resolve == "adaptive7"
    assert [Layout.of_count(n).premiere for n in (1, 2, 3, 6, 8)] == [
        "Mono", "Stereo", "Adaptive", "5.1", "Adaptive",
    ]  # fmt: skip
    assert [Layout.named(name).title for name in ("mono", "stereo", "quad", "5.1(side)", "10 channels")] == [
        "mono", "stereo", "quad", "5.1", "10 channels",
    ]  # fmt: skip


# ---- loudness weights


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mono", "1"), ("stereo", "1 1"), ("2.1", "1 1 0"), ("quad", "1 1 1.41 1.41"), ("4.0", "1 1 1 1"),
        ("5.0(side)", "1 1 1 1.41 1.41"), ("5.1", "1 1 1 0 1.41 1.41"), ("5.1(side)", "1 1 1 0 1.41 1.41"),
        ("5.1film", "1 1 1 1.41 1.41 0"), ("6.1", "1 1 1 0 1 1.41 1.41"), ("7.1", "1 1 1 0 1 1 1.41 1.41"),
        ("7.1.4", "1 1 1 0 1 1 1.41 1.41 1 1 1 1"), ("12 channels", "1 1 1 1 1 1 1 1 1 1 1 1"),
        # BS.1770-5 annex 3 for 22.2: left and right at 60°, side ones at 90°.
        ("22.2", "1.41 1.41 1 0 1 1 1 1 1 1.41 1.41 1 1 1 1 1 1 1 0 1 1 1 1 1"),
    ],
)  # fmt: skip
def test_weights_of_bs_1770(name, weights):
    assert Layout.named(name).weights.tolist() == [float(w) for w in weights.split()]


def test_a_single_channel_is_a_programme_of_its_own():
    for speaker in ("FL", "LFE", "SL"):
        assert Layout((speaker,)).weights.tolist() == [1]
        assert Layout((speaker,)).mono.tolist() == [1]


# ---- downmix


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("mono", "1"), ("stereo", ".5 .5"), ("2.1", ".5 .5 0"), ("3.0", ".5 .5 .7071"), ("4.0", ".5 .5 .7071 .5"),
        ("quad", ".5 .5 .3536 .3536"), ("5.0", ".5 .5 .7071 .3536 .3536"), ("5.1", ".5 .5 .7071 0 .3536 .3536"),
        ("5.1(side)", ".5 .5 .7071 0 .3536 .3536"), ("5.1film", ".5 .7071 .5 .3536 .3536 0"),
        ("7.1", ".5 .5 .7071 0 .25 .25 .25 .25"), ("9 channels", " ".join([str(1 / 9)] * 9)),
    ],
)  # fmt: skip
def test_what_a_model_hears_is_the_mean_of_bs_775s_downmix(name, weights):
    expected = np.array([float(w) for w in weights.split()], np.float32)
    np.testing.assert_array_equal(Layout.named(name).mono, expected)


def test_downmixes_of_bs_775_table_2():
    # 3/2 to 2/0, 1/0, 3/0, 2/2, 3/1 and 2/1.
    three_two = Layout.named("5.0")
    table = {
        "stereo": [[1, 0, HALF, HALF, 0], [0, 1, HALF, 0, HALF]],
        "mono": [[HALF, HALF, 1, 0.5, 0.5]],
        "3.0": [[1, 0, 0, HALF, 0], [0, 1, 0, 0, HALF], [0, 0, 1, 0, 0]],
        "quad": [[1, 0, HALF, 0, 0], [0, 1, HALF, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]],
        "4.0": [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, HALF, HALF]],
        "3.0(back)": [[1, 0, HALF, 0, 0], [0, 1, HALF, 0, 0], [0, 0, 0, HALF, HALF]],
    }
    for name, rows in table.items():
        np.testing.assert_allclose(three_two.routing(Layout.named(name)), rows, atol=1e-12)
    np.testing.assert_allclose(Layout.named("stereo").routing(Layout.named("mono")), [[HALF, HALF]])


# ---- routing


@given(layouts)
def test_a_layout_into_itself_is_untouched(layout):
    np.testing.assert_array_equal(layout.routing(layout), np.eye(layout.channels))


@given(orders, layouts)
def test_speakers_that_are_there_keep_their_own(source, target):
    assume(source.channels > 1 and target.channels > 1 and target.ffmpeg != "downmix")
    matrix = source.routing(target)
    assert matrix.shape == (target.channels, source.channels)
    assert (matrix >= 0).all()
    shared = {"SL", "SR", "BL", "BR"}
    halved = shared <= set(source.speakers) and not shared <= set(target.speakers)
    assume(module._has_front(target.speakers))
    for i, speaker in enumerate(source.speakers):
        if speaker in target.speakers:
            gain = HALF if halved and speaker in shared else 1
            assert matrix[target.speakers.index(speaker), i] == pytest.approx(gain)
            assert np.count_nonzero(matrix[:, i]) == 1


@given(orders, layouts)
def test_nothing_but_the_lfe_vanishes_or_gets_louder(source, target):
    matrix = source.routing(target)
    for i, speaker in enumerate(source.speakers):
        power = float(np.square(matrix[:, i]).sum())
        if source.channels == 1:
            assert power in (1, 2)
        elif speaker in ("LFE", "LFE2"):
            assert power in (0, 1)
        else:
            assert 0.1 < power <= 1 + 1e-9


@given(layouts, layouts)
def test_left_and_right_are_treated_alike(source, target):
    def other(speaker: str) -> str:
        sides = {"L": "R", "R": "L"}
        if speaker in ("FLC", "FRC"):
            return "FRC" if speaker == "FLC" else "FLC"
        return speaker if speaker.startswith("LFE") else speaker[:-1] + sides.get(speaker[-1], speaker[-1])

    assume(target.channels > 1)
    matrix = source.routing(target)
    for i, s in enumerate(source.speakers):
        for j, t in enumerate(target.speakers):
            mirror = matrix[target.speakers.index(other(t)), source.speakers.index(other(s))]
            assert matrix[j, i] == pytest.approx(mirror)


def test_mono_goes_to_the_centre_or_to_both_sides():
    assert routed("mono", "5.1") == {"FC": {"FC": 1}}
    assert routed("mono", "stereo") == {"FC": {"FL": 1, "FR": 1}}
    assert routed("mono", "quad") == {"FC": {"FL": 1, "FR": 1}}
    assert Layout(("SL",)).routing(Layout.named("quad")).tolist() == [[1], [1], [0], [0]]


def test_surrounds_keep_to_surrounds():
    assert routed("quad", "5.1") == {s: {s: 1} for s in ("FL", "FR", "BL", "BR")}
    assert routed("5.0", "5.1") == {s: {s: 1} for s in ("FL", "FR", "FC", "BL", "BR")}
    assert routed("5.1(side)", "5.1")["SL"] == {"BL": 1}
    assert routed("5.1", "5.1(side)")["BR"] == {"SR": 1}
    assert routed("5.1", "7.1")["BL"] == {"BL": 1}
    assert routed("7.1", "5.1")["SL"] == routed("7.1", "5.1")["BL"] == {"BL": 0.7071}
    assert routed("7.1", "stereo")["SR"] == {"FR": 0.5}
    assert routed("6.1", "5.1")["BC"] == {"BL": 0.7071, "BR": 0.7071}
    assert routed("4.0", "stereo")["BC"] == {"FL": 0.5, "FR": 0.5}


def test_the_lfe_goes_to_an_lfe_only():
    assert routed("5.1", "7.1")["LFE"] == {"LFE": 1}
    assert routed("5.1", "5.0")["LFE"] == routed("5.1", "stereo")["LFE"] == {}


def test_heights_join_what_lies_below_them():
    assert routed("5.1.4", "5.1")["TFL"] == {"FL": 0.7071}
    assert routed("7.1.4", "7.1")["TBR"] == {"BR": 0.7071}
    assert routed("5.1.4", "5.1(side)")["TBL"] == {"SL": 0.7071}
    assert routed("9.1.6", "7.1.4")["TSL"] == {"TFL": 0.7071, "TBL": 0.7071}


def test_channels_without_a_place_keep_their_number():
    np.testing.assert_array_equal(Layout.discrete(3).routing(Layout.named("5.1")), np.eye(6)[:, :3])
    np.testing.assert_array_equal(Layout.named("5.1").routing(Layout.discrete(9)), np.eye(9)[:, :6])
    np.testing.assert_allclose(Layout.discrete(10).routing(Layout.named("stereo")), np.full((2, 10), 0.1))


# ---- parts of a layout


@pytest.mark.parametrize(
    ("name", "channels", "found"),
    [
        ("stereo", (0,), "mono"), ("5.1", (3,), "mono"), ("5.1", (4, 5), "stereo"), ("stereo", (1, 0), "stereo"),
        ("5.1", (0, 1, 2, 4, 5), "5.0"), ("5.1(side)", (0, 1, 4, 5), "quad(side)"), ("5.1", (0, 1, 3), "2.1"),
        ("5.1", (5, 4, 3, 2, 1, 0), "5.1"), ("7.1", (2, 1, 0), "3.0"), ("9 channels", (0, 3, 5), "3.0"),
    ],
)  # fmt: skip
def test_picked_channels(name, channels, found):
    assert Layout.named(name).pick(channels).ffmpeg == found


@given(layouts, st.data())
def test_picks_have_so_many_channels(layout, data):
    count = data.draw(st.integers(1, layout.channels))
    picks = data.draw(st.permutations(range(layout.channels)))[:count]
    assert layout.pick(picks).channels == count


def test_streams_that_are_one_sound():
    mono, stereo = Layout.named("mono"), Layout.named("stereo")
    assert Layout.joined([mono] * 6) == Layout.named("5.1")
    assert Layout.joined([mono] * 2) == Layout.joined([stereo]) == stereo
    film = [Layout((s,)) for s in ("FL", "FC", "FR", "SL", "SR", "LFE")]
    assert Layout.joined(film).speakers == ("FL", "FC", "FR", "SL", "SR", "LFE")
    assert Layout.joined([stereo, stereo]) == Layout.discrete(4)
    assert Layout.joined([Layout.named("5.1"), stereo]) == Layout.discrete(8)


# ---- every way of the fold, by the tables of BS.775-3 and the sentences in the module


def folded(speaker: str, there: str) -> dict[str, float]:
    """Where one speaker's sound goes among those that are `there`, beside a front left and right."""
    target = Layout(("FL", "FR", *there.split()))
    matrix = Layout(("FL", "FR", speaker)).routing(target)
    return {t: round(float(matrix[j, 2]), 4) for j, t in enumerate(target.speakers) if matrix[j, 2]}


@pytest.mark.parametrize(
    ("speaker", "there", "gains"),
    [
        ("FLC", "FC", {"FL": 0.7071, "FC": 0.7071}), ("FLC", "BL", {"FL": 1}),
        ("WL", "SL", {"FL": 0.7071, "SL": 0.7071}), ("WL", "BL", {"FL": 1}),
        ("SL", "BL", {"BL": 1}), ("SL", "BC", {"BC": 0.7071}), ("SL", "FC", {"FL": 0.7071}),
        ("BL", "SL", {"SL": 1}), ("BL", "BC", {"BC": 0.7071}), ("BL", "FC", {"FL": 0.7071}),
        ("SDL", "SL", {"SL": 1}), ("SDL", "BL", {"BL": 1}), ("SDL", "FC", {"FL": 0.7071}),
        ("SSL", "SL", {"SL": 1}), ("SSL", "BC", {"BC": 0.7071}),
        ("DL", "FC", {"FL": 1}), ("BFL", "FC", {"FL": 0.7071}), ("BFC", "FC", {"FC": 0.7071}),
        ("BFC", "BL", {"FL": 0.5, "FR": 0.5}),
        ("TFL", "TSL", {"TSL": 1}), ("TFL", "TBL", {"FL": 0.7071}),
        ("TSL", "TFL TBL", {"TFL": 0.7071, "TBL": 0.7071}), ("TSL", "TFL", {"TFL": 1}),
        ("TSL", "SL", {"SL": 0.7071}), ("TSL", "BL", {"BL": 0.7071}), ("TSL", "FC", {"FL": 0.5}),
        ("TBL", "TSL", {"TSL": 1}), ("TBL", "TFL", {"TFL": 0.7071}), ("TBL", "BL SL", {"BL": 0.7071}),
        ("TBL", "SL", {"SL": 0.7071}), ("TBL", "FC", {"FL": 0.5}),
        ("TTL", "TSL", {"TSL": 1}), ("TTL", "TFL TBL", {"TFL": 0.7071, "TBL": 0.7071}), ("TTL", "SL", {"SL": 0.7071}),
        ("FC", "BL", {"FL": 0.7071, "FR": 0.7071}),
        ("BC", "BL BR", {"BL": 0.7071, "BR": 0.7071}), ("BC", "SL SR", {"SL": 0.7071, "SR": 0.7071}),
        ("BC", "FC", {"FL": 0.5, "FR": 0.5}),
        ("TC", "TFL TFR TBL TBR", {"TFL": 0.5, "TFR": 0.5, "TBL": 0.5, "TBR": 0.5}),
        ("TC", "TFL TFR", {"TFL": 0.7071, "TFR": 0.7071}), ("TC", "FC", {"FC": 0.7071}),
        ("TC", "BL", {"FL": 0.5, "FR": 0.5}),
        ("TFC", "TFL TFR", {"TFL": 0.7071, "TFR": 0.7071}), ("TFC", "FC", {"FC": 0.7071}),
        ("TBC", "TBL TBR", {"TBL": 0.7071, "TBR": 0.7071}), ("TBC", "BC", {"BC": 0.7071}),
        ("TBC", "BL BR", {"BL": 0.5, "BR": 0.5}),
        ("LFE", "LFE2", {"LFE2": 1}), ("LFE2", "LFE", {"LFE": 1}), ("LFE", "FC", {}), ("LFE2", "FC", {}),
    ],
)  # fmt: skip
def test_every_way_of_the_fold(speaker, there, gains):
    assert folded(speaker, there) == gains

    def other(names: str) -> str:
        return " ".join(
            n.replace("FLC", "FRC") if n == "FLC" else n[:-1] + {"L": "R", "R": "L"}.get(n[-1], n[-1])
            for n in names.split()
        )

    if speaker not in module._MIDDLE_WAYS:
        assert folded(other(speaker), other(there)) == {other(s): g for s, g in gains.items()}


def test_left_and_right_into_one_and_a_centre_that_is_alone():
    np.testing.assert_allclose(Layout.named("stereo").routing(Layout.named("mono")), [[HALF, HALF]])
    np.testing.assert_allclose(Layout.named("quad").routing(Layout.named("mono")), [[HALF, HALF, 0.5, 0.5]])
    # A single channel is mono, whichever speaker it is called after; Lt and Rt are left and right.
    np.testing.assert_allclose(Layout.named("stereo").routing(Layout(("SL",))), [[HALF, HALF]])
    np.testing.assert_allclose(
        Layout.named("3.0").routing(Layout.named("downmix")), [[1, 0, HALF], [0, 1, HALF]]
    )
    np.testing.assert_allclose(Layout.named("downmix").routing(Layout.named("5.1"))[:2], np.eye(2))


def test_sound_for_a_layout_without_a_front_goes_side_by_side():
    back = Layout(("SL", "SR"))
    np.testing.assert_array_equal(Layout.named("stereo").routing(back), np.eye(2))
    np.testing.assert_allclose(Layout.named("3.0").routing(back), [[1 / 3] * 3, [0] * 3])
    np.testing.assert_array_equal(Layout.named("mono").routing(back), [[1], [0]])
    # A left without a right is no front.
    np.testing.assert_array_equal(Layout.named("mono").routing(Layout(("FL", "SL"))), [[1], [0]])
    np.testing.assert_array_equal(Layout.named("mono").routing(Layout.discrete(3)), [[1], [0], [0]])
    # More unplaced channels than there are speakers: in equal parts in front.
    np.testing.assert_allclose(
        Layout.discrete(4).routing(Layout.named("2.1")), [[0.25] * 4, [0.25] * 4, [0] * 4]
    )
    np.testing.assert_allclose(Layout.discrete(3).routing(Layout(("LFE", "FC"))), [[0] * 3, [1 / 3] * 3])
    np.testing.assert_allclose(Layout.discrete(2).routing(Layout.named("mono")), [[0.5, 0.5]])
    np.testing.assert_array_equal(Layout.discrete(2).routing(Layout.named("stereo")), np.eye(2))


def test_a_routing_is_shared_and_cannot_be_written_to():
    matrix = Layout.named("5.1").routing(Layout.named("stereo"))
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 2


@pytest.mark.parametrize(
    ("speakers", "weights"),
    [
        ("FL FR WL WR", "1 1 1.41 1.41"), ("FL FR SDL SDR", "1 1 1.41 1.41"), ("FL FR SSL SSR", "1 1 1.41 1.41"),
        ("FL FR BL SL", "1 1 1 1.41"), ("FL FR BR SR", "1 1 1 1.41"), ("FL FR BL BC", "1 1 1.41 1"),
        ("FL LFE2 TFL", "1 0 1"), ("FL FR BFL BFR BL", "1.41 1.41 1 1 1.41"), ("FL FR BFR", "1 1 1"),
        ("FL FR TSL TSR", "1 1 1 1"),
    ],
)  # fmt: skip
def test_weights_of_speakers_beside_the_listener(speakers, weights):
    assert Layout(tuple(speakers.split())).weights.tolist() == [float(w) for w in weights.split()]


@pytest.mark.parametrize(
    ("speakers", "labels"),
    [
        ("FL FR BL SL", "L R Lrs Ls"), ("FL FR BR SR", "L R Rrs Rs"), ("FL FR BL BR BC", "L R Ls Rs Cs"),
        ("FLC FRC TC TFC TBC", "Lc Rc Tc Ctf Ctr"), ("TFL TFR TBL TBR TSL TSR", "Ltf Rtf Ltr Rtr Lts Rts"),
        ("DL DR WL WR SDL SDR", "Lt Rt Lw Rw Lsd Rsd"), ("BFC BFL BFR LFE2 LFE", "Cb Lb Rb LFE2 LFE"),
        ("FL FC", "L C"), ("FC", "M"), ("FL", "L"),
    ],
)  # fmt: skip
def test_mixing_rooms_names(speakers, labels):
    assert Layout(tuple(speakers.split())).labels == tuple(labels.split())


def test_what_a_model_hears_to_four_places():
    # 0.5 · 0.7071 · 0.7071 of a height over a surround, and the mean of a side that is there and one that is not.
    heard = Layout(("FL", "FR", "TBL", "FC")).mono
    np.testing.assert_array_equal(heard, np.array([0.5, 0.5, 0.25, 0.7071], np.float32))
    assert heard.dtype == np.float32
    np.testing.assert_array_equal(Layout(("FL", "FR", "SL")).mono, np.array([0.5, 0.5, 0.3536], np.float32))


def test_masks_of_all_speakers_and_of_none():
    for bit, speaker in enumerate(MASKED):
        assert Layout((speaker,)).mask == 1 << bit
        assert Layout.of_mask(1 << bit, 1).speakers == (speaker,)
    assert Layout(("FL", "FR", "LFE2")).mask == 0  # FFmpeg's alone
    assert Layout.of_mask(0x8000_0003, 2) == Layout.named("stereo")  # a bit that no speaker has
    assert Layout.of_mask(0x7, 2) == Layout.named("stereo")
    assert Layout.named("12 channels").wav_order == tuple(range(12))


@pytest.mark.parametrize(
    ("name", "figures", "title"),
    [
        ("7.2.3", "7.2.3", "7.2.3"), ("22.2", "13.2.9", "13.2.9"), ("cube", "4.0.4", "4.0.4"),
        ("quad(side)", "4.0", "4.0"), ("2.1", "2.1", "2.1"), ("downmix", "2.0", "2.0"),
        ("FL+FR+FC+TFC", "3.0.1", "3.0.1"), ("9 channels", "9.0", "9 channels"),
    ],
)  # fmt: skip
def test_figures_count_lfes_and_heights(name, figures, title):
    layout = Layout.named(name)
    assert (layout.figures, layout.title) == (figures, title)


def test_hosts_track_types_of_other_layouts():
    kinds = {
        "quad(side)": "quad",
        "4.0": "lrcs",
        "5.0(side)": "5.0",
        "2.1": "adaptive3",
        "7.1(wide)": "adaptive8",
    }
    assert {name: Layout.named(name).resolve for name in kinds} == kinds
    assert Layout.discrete(2).resolve == "adaptive2"
    assert Layout.discrete(2).premiere == Layout.discrete(6).premiere == "Adaptive"
    assert Layout.named("5.1(side)").premiere == "5.1"


def test_the_usual_layout_of_figures_comes_first():
    assert [found.ffmpeg for found in Layout.called("4.0")] == ["quad", "4.0", "quad(side)"]
    assert [found.ffmpeg for found in Layout.called("2.0")] == ["stereo", "downmix"]
    assert [found.ffmpeg for found in Layout.called("1.0")] == ["mono"]


def test_streams_side_by_side_that_are_no_layout():
    mono, stereo = Layout.named("mono"), Layout.named("stereo")
    one, two, three = (Layout((f"CH{n}",)) for n in (1, 2, 3))
    assert Layout.joined([one, two, three]) == Layout.named("3.0")  # what their number says
    assert Layout.joined([one, Layout(("FL",)), Layout(("FR",))]) == Layout.named("3.0")
    assert Layout.joined([Layout(("SL",)), Layout(("SR",))]) == stereo
    assert Layout.joined([Layout(("SL",))]).speakers == ("SL",)
    assert Layout.joined([Layout.discrete(9)]) == Layout.discrete(9)
    assert Layout.joined([stereo, mono]) == Layout.discrete(3)
    assert Layout.joined([mono, mono, Layout(("LFE",))]) == Layout.named("3.0")


@pytest.mark.parametrize(
    "text", ["adaptive", "Adaptive  4", "4c", "4 c", "4channels", "1 channel", "007 channels"]
)
def test_counts_as_hosts_write_them(text):
    if text == "adaptive":
        with pytest.raises(SettingsError):
            Layout.named(text)
    else:
        assert Layout.named(text) == Layout.of_count({"1": 1, "0": 7}.get(text[0], 4))


def test_a_layout_of_no_channels_and_of_names_nobody_knows():
    for speakers in ((), ("FL", "FL"), ("CH1", "XX"), ("CH1", "CH1")):
        with pytest.raises(SettingsError, match="is not a channel layout"):
            Layout(speakers)
    assert not Layout(("FL", "CH2")).placed
    assert Layout(("FL", "CH2")).ffmpeg == "2 channels"
