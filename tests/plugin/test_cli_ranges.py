"""Selections of clips as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightmix.engine.errors import SettingsError
from sightmix.plugin.jobs.ranges import format_ranges, parse_ranges


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", (3,)),
        ("3,5-9", (3, 5, 6, 7, 8, 9)),
        (" 2 , 1 ", (1, 2)),
        ("4-4", (4,)),
        ("1 - 3,2", (1, 2, 3)),
    ],
)
def test_ranges_are_read(text: str, expected: tuple[int, ...]) -> None:
    assert parse_ranges(text, 12) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "numbers and ranges"),
        ("a", "numbers and ranges"),
        ("1,,2", "numbers and ranges"),
        ("-3", "numbers and ranges"),
        ("3-", "numbers and ranges"),
        ("1-2-3", "numbers and ranges"),
        ("1;2", "numbers and ranges"),
        ("²", "numbers and ranges"),
        ("9-5", "backwards"),
        ("0", "numbered 1 to 12"),
        ("13", "names clip 13"),
        ("5-99", "names clip 99"),
        ("99999999999999999999", "numbers and ranges"),
    ],
)
def test_what_is_no_selection_is_explained(text: str, what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        parse_ranges(text, 12)


@given(st.sets(st.integers(1, 200), min_size=1))
def test_writing_and_reading_a_selection_is_the_identity(chosen: set[int]) -> None:
    indices = tuple(sorted(chosen))
    assert parse_ranges(format_ranges(indices), 200) == indices


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        indices = parse_ranges(text, 50)
    except SettingsError as error:
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert list(indices) == sorted(set(indices))
        assert all(1 <= i <= 50 for i in indices)
