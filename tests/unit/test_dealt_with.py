"""Which dead letters were dealt with, in whatever order that happens, and how Kafka is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from producers.inbox.dealt_with import LONGEST_NOTE, DealtWith

LYING = st.sets(st.integers(0, 60), min_size=1).map(sorted)
"""Offsets of letters: a transaction's end leaves a gap."""


def test_a_letter_that_is_passed_over_stays_open_and_those_around_it_do_not() -> None:
    done = DealtWith(3).and_also([3, 4, 6, 7, 9], range(3, 11))

    assert (done.before, done.note) == (5, "6-7,9")
    assert [each for each in range(11) if each not in done] == [5, 8, 10]


def test_once_it_is_dealt_with_nothing_needs_to_be_noted() -> None:
    done = DealtWith.noted(5, "6-7").and_also([5], [5, 6, 7])

    assert (done.before, done.note) == (8, "")


@pytest.mark.parametrize("note", [None, ""])
def test_without_a_note_all_before_one_place_is_dealt_with(note: str | None) -> None:
    assert DealtWith.noted(7, note) == DealtWith(7)


@given(lying=LYING, steps=st.lists(st.sets(st.integers(0, 60)), max_size=5))
def test_what_was_dealt_with_in_any_order_is_and_no_other(lying: list[int], steps: list[set[int]]) -> None:
    done, expected = DealtWith(0), set[int]()
    for step in steps:
        chosen = sorted(step.intersection(lying))
        done = done.and_also(chosen, [each for each in lying if each >= done.before])
        done = DealtWith.noted(done.before, done.note)
        expected.update(chosen)

    assert {each for each in lying if each in done} == expected


def test_more_places_than_kafka_notes_are_refused_in_words() -> None:
    every_other = range(1, LONGEST_NOTE, 2)

    with pytest.raises(UserError, match="deal with the oldest, 0, and those after it first"):
        _ = DealtWith(0).and_also(every_other, range(LONGEST_NOTE)).note
