"""Which dead letters are resolved, in whatever order they are, and how Kafka stores that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.resolved_offsets import MAX_METADATA_BYTES, ResolvedOffsets

PRESENT = st.sets(st.integers(0, 60), min_size=1).map(sorted)
"""Offsets of dead letters. The end of a transaction leaves a gap."""


def test_a_letter_that_is_skipped_stays_unresolved_and_its_neighbours_do_not() -> None:
    resolved = ResolvedOffsets(3).with_resolved([3, 4, 6, 7, 9], range(3, 11))

    assert (resolved.before, resolved.metadata) == (5, "6-7,9")
    assert [each for each in range(11) if each not in resolved] == [5, 8, 10]


def test_no_metadata_is_needed_once_all_letters_before_one_offset_are_resolved() -> None:
    resolved = ResolvedOffsets.parse(5, "6-7").with_resolved([5], [5, 6, 7])

    assert (resolved.before, resolved.metadata) == (8, "")


@pytest.mark.parametrize("metadata", [None, ""])
def test_without_metadata_all_letters_before_one_offset_are_resolved(metadata: str | None) -> None:
    assert ResolvedOffsets.parse(7, metadata) == ResolvedOffsets(7)


@given(present=PRESENT, steps=st.lists(st.sets(st.integers(0, 60)), max_size=5))
def test_exactly_the_letters_that_were_resolved_in_any_order_are(
    present: list[int], steps: list[set[int]]
) -> None:
    resolved, expected = ResolvedOffsets(0), set[int]()
    for step in steps:
        chosen = sorted(step.intersection(present))
        resolved = resolved.with_resolved(chosen, [each for each in present if each >= resolved.before])
        resolved = ResolvedOffsets.parse(resolved.before, resolved.metadata)
        expected.update(chosen)

    assert {each for each in present if each in resolved} == expected


def test_more_ranges_than_kafka_stores_are_refused_in_words() -> None:
    every_other = range(1, MAX_METADATA_BYTES, 2)

    with pytest.raises(UserError, match="replay or discard the oldest one, 0, and those after it first"):
        _ = ResolvedOffsets(0).with_resolved(every_other, range(MAX_METADATA_BYTES)).metadata
