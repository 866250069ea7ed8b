"""What was done, in words: known moves and the sentences an editor reads of them."""

import numpy as np
import pytest
from sightmix.engine.context.subjects import Subject
from sightmix.engine.highlight.config import HOP, MODEL_RATE
from sightmix.engine.highlight.style import Move
from sightmix.engine.highlight.words import (
    DOUBT,
    LEAST_DB,
    SeenSubject,
    seen_subjects,
    sentences,
    signed_db,
    summary,
)


def frame(seconds: float) -> int:
    return round(seconds * MODEL_RATE / HOP)


def move(start: float, end: float, role: str, gain_db: float, why: str) -> Move:
    return Move(frame(start), frame(end), role, gain_db, why)


def shown(start: float, end: float, name: str, kind: str) -> SeenSubject:
    return SeenSubject(frame(start), frame(end), Subject(name, kind, 0.9))


def clock(at: int) -> str:
    seconds = round(at * HOP / MODEL_RATE)
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def told(*moves: Move, seen: tuple[SeenSubject, ...] = (), **more: object) -> list[str]:
    return [one.text for one in sentences(moves, seen, clock, **more)]  # type: ignore[arg-type]


DUCKED = move(41, 52, "music", -6.1, "under speech")


def test_what_was_done_and_why_is_one_sentence_for_a_stretch():
    raised = move(42, 52, "effects", 3.0, "effects buried")
    assert told(DUCKED, raised, seen=(shown(41, 50, "an explosion", "effects"),), voice="the narrator") == [
        "00:41–00:52 music −6.1 dB under the narrator; effects +3 dB: an explosion is seen"
    ]


def test_a_sentence_knows_where_and_of_which_stems_it_speaks():
    doubt = np.zeros(frame(90), np.float32)
    doubt[frame(70) : frame(80)] = 1.0
    raised = move(42, 52, "effects", 3.0, "effects buried")
    found = sentences([DUCKED, raised, move(60, 65, "speech", 2.0, "speech buried")], (), clock, doubt=doubt)
    assert [(one.first, one.last, one.stems) for one in found] == [
        (frame(41), frame(52), ("music", "effects")),
        (frame(60), frame(65), ("speech",)),
        (frame(70), frame(80), ()),
    ]


def test_what_was_drawn_by_hand_is_told_even_where_it_changes_nothing():
    assert told(move(3, 9, "music", 0.0, "hand")) == ["00:03–00:09 music 0 dB by hand"]
    assert told(move(3, 9, "speech", 2.5, "hand")) == ["00:03–00:09 dialogue +2.5 dB by hand"]
    assert summary([move(0, 9, "music", 0.0, "hand")], frame(9)) == "9 s: nothing was changed"


def test_nothing_is_said_where_nothing_was_done():
    assert told() == []
    assert (
        told(move(3, 9, "music", LEAST_DB - 0.01, "under speech"), move(4, 4, "music", -6, "under speech"))
        == []
    )
    assert told(seen=(shown(0, 9, "a dog", "effects"),)) == []
    assert told(move(3, 9, "music", 0.04, "asked")) == []
    assert told(move(3, 9, "music", 0.2, "asked")) == ["00:03–00:09 music +0.2 dB as asked"]


@pytest.mark.parametrize(
    ("role", "gain_db", "why", "words"),
    [
        ("music", -6.0, "under speech", "music −6 dB under the dialogue"),
        ("speech", 4.25, "speech buried", "dialogue +4.2 dB: it was buried"),
        ("effects", 2.5, "effects buried", "effects +2.5 dB: they were buried"),
        ("music", -3.0, "music too loud", "music −3 dB: it was too loud"),
        ("effects", -3.0, "effects too loud", "effects −3 dB: they were too loud"),
        ("music", 2.0, "effects too loud", "music +2 dB beside effects that were too loud"),
        ("effects", 2.0, "music too loud", "effects +2 dB beside music that was too loud"),
        ("effects", 3.0, "seen", "effects +3 dB for what is seen"),
        ("speech", -1.0, "asked", "dialogue −1 dB as asked"),
        ("speech", -1.0, "loudness", "dialogue −1 dB for the loudness of the programme"),
        ("music", -1.0, "peak", "music −1 dB for the true peak"),
        ("", -1.0, "peak", "everything −1 dB for the true peak"),
        ("music", -1.0, "", "music −1 dB"),
    ],
)
def test_every_reason_has_its_words(role, gain_db, why, words):
    assert told(move(5, 9, role, gain_db, why)) == [f"00:05–00:09 {words}"]


def test_stems_changed_for_the_same_reason_share_its_words():
    assert told(DUCKED, move(41, 51, "effects", -2.0, "under speech")) == [
        "00:41–00:52 music −6.1 dB and effects −2 dB under the dialogue"
    ]


def test_one_gain_for_all_stems_is_everything():
    stems = ("speech", "music", "effects")
    assert told(*(move(0, 30, stem, -2.04, "loudness") for stem in stems)) == [
        "00:00–00:30 everything −2 dB for the loudness of the programme"
    ]
    mixed = zip(stems, ("speech buried", "under speech", "under speech"), strict=True)
    assert told(*(move(0, 30, stem, -2.0, why) for stem, why in mixed)) == ["00:00–00:30 everything −2 dB"]


def test_neighbours_alike_are_one_move_with_the_mean_gain():
    pair = (move(10, 14, "music", -6.0, "under speech"), move(15, 16, "music", -5.0, "under speech"))
    assert told(*pair) == ["00:10–00:16 music −5.8 dB under the dialogue"]
    three = (*pair, move(17, 20, "music", -5.9, "under speech"))
    assert told(*reversed(three)) == ["00:10–00:20 music −5.8 dB under the dialogue"]


@pytest.mark.parametrize(
    "after",
    [
        move(17, 20, "music", -6.0, "under speech"),
        move(15, 20, "music", -7.5, "under speech"),
        move(15, 20, "music", -6.0, "music too loud"),
        move(15, 20, "effects", -6.0, "under speech"),
    ],
    ids=["far", "other gain", "other reason", "other stem"],
)
def test_what_differs_is_told_apart(after):
    assert len(told(move(10, 14.5, "music", -6.0, "under speech"), after)) == 2


def test_moves_that_share_little_of_their_time_have_a_sentence_each_in_order():
    assert told(
        move(12, 14, "speech", 3.0, "speech buried"), move(10, 30, "music", -6.0, "under speech")
    ) == [
        "00:10–00:30 music −6 dB under the dialogue",
        "00:12–00:14 dialogue +3 dB: it was buried",
    ]


def test_a_stretch_within_one_second_has_one_time():
    assert told(move(5.0, 5.4, "music", -6.0, "under speech")) == ["00:05 music −6 dB under the dialogue"]


# ------------------------------------------------------------------------------------------- what is seen


def test_only_a_subject_of_the_raised_stem_that_is_seen_for_most_of_it_is_named():
    raised = move(10, 20, "effects", 3.0, "effects buried")
    buried = ["00:10–00:20 effects +3 dB: they were buried"]
    assert told(raised, seen=(shown(10, 14, "a car", "effects"),)) == buried
    assert told(raised, seen=(shown(10, 20, "a guitar", "music"),)) == buried
    assert told(raised, seen=(shown(30, 40, "a car", "effects"),)) == buried
    assert told(raised, seen=(shown(8, 15.1, "a car", "effects"),)) == [
        "00:10–00:20 effects +3 dB: a car is seen"
    ]
    both = (
        shown(10, 13, "a car", "effects"),
        shown(13, 17, "a dog", "effects"),
        shown(18, 19, "a car", "effects"),
    )
    assert told(raised, seen=both) == ["00:10–00:20 effects +3 dB: a car and a dog are seen"]


def test_what_is_lowered_is_not_so_because_of_what_is_seen():
    lowered = move(10, 20, "effects", -3.0, "effects too loud")
    assert told(lowered, seen=(shown(10, 20, "a car", "effects"),)) == [
        "00:10–00:20 effects −3 dB: they were too loud"
    ]


def test_pictures_stand_until_the_next_and_neighbours_that_show_the_same_are_one():
    car, dog = Subject("a car", "effects", 0.7), Subject("a dog", "effects", 0.9)
    surer = Subject("a car", "effects", 0.8)
    found = seen_subjects([0, 10, 20, 30, 40, 60], [car, surer, dog, None, dog, dog], 50)
    assert found == (SeenSubject(0, 20, surer), SeenSubject(20, 30, dog), SeenSubject(40, 50, dog))
    assert seen_subjects([], [], 9) == ()


# ------------------------------------------------------------------------------------------------ doubt


def test_doubt_is_said_with_what_was_done():
    doubt = np.zeros(frame(60), np.float32)
    doubt[frame(40) : frame(60)] = 0.8
    before = move(10, 20, "music", -3.0, "music too loud")
    assert told(before, DUCKED, doubt=doubt)[:2] == [
        "00:10–00:20 music −3 dB: it was too loud",
        f"00:41–00:52 music −6.1 dB under the dialogue; {DOUBT}",
    ]


def test_a_little_doubt_for_long_is_no_doubt():
    assert told(DUCKED, doubt=np.full(frame(60), 0.2, np.float32)) == told(DUCKED)


def test_doubt_alone_is_said_where_it_lasts():
    doubt = np.zeros(frame(60), np.float32)
    doubt[frame(5) : frame(15)] = 1.0
    doubt[frame(30) : frame(31)] = 1.0
    assert told(doubt=doubt) == [f"00:05–00:15 {DOUBT}"]
    assert told(doubt=doubt * 0.4) == []


# -------------------------------------------------------------------------------------- the whole programme


def test_the_whole_programme_in_one_sentence():
    moves = (
        DUCKED,
        move(60, 80, "music", -3.0, "music too loud"),
        move(41, 52, "effects", 3.0, "effects buried"),
    )
    doubt = np.zeros(frame(120), np.float32)
    doubt[: frame(12)] = 1.0
    assert summary(moves, frame(120), doubt=doubt, null_dbfs=-126.4) == (
        "2:00 min: music lowered by 4.1 dB for 31 s; effects raised by 3 dB for 11 s; "
        "nothing was changed for 1:29 min; gains were drawn together for 12 s, where the separation is doubtful; "
        "stems sum to the mix at −126 dBFS"
    )


def test_a_programme_that_was_left_alone_says_so():
    assert summary((), frame(53)) == "53 s: nothing was changed"
    assert summary((), frame(53), null_dbfs=-np.inf) == (
        "53 s: nothing was changed; stems sum to the mix to the last bit"
    )


def test_a_programme_changed_throughout_leaves_nothing_unsaid():
    assert (
        summary((move(0, 30, "speech", 2.0, "asked"),), frame(30)) == "30 s: dialogue raised by 2 dB for 30 s"
    )


def test_gains_are_written_as_editors_write_them():
    assert [signed_db(x) for x in (3.0, -6.1, 0.04, -0.04, 12.25)] == [
        "+3 dB",
        "−6.1 dB",
        "0 dB",
        "0 dB",
        "+12.2 dB",
    ]
