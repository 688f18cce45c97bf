from common.consumer_lag import lag_by_group, messages_by_topic, unresolved_in
from common.resolved_offsets import ResolvedOffsets


def test_the_lag_of_a_group_is_the_messages_after_its_committed_offsets() -> None:
    ends = {("order_placed", 0): 10, ("order_placed", 1): 7}
    committed = {"facts": {("order_placed", 0): 4, ("order_placed", 1): 7}, "idle": {}}
    assert lag_by_group(committed, ends) == {"facts": 6, "idle": 0}


def test_a_deleted_or_recreated_topic_gives_no_negative_lag() -> None:
    assert lag_by_group({"facts": {("gone", 0): 5, ("anew", 0): 5}}, {("anew", 0): 2}) == {"facts": 0}


def test_messages_are_counted_from_the_first_retained_offset_to_the_end() -> None:
    starts = {("order_placed_dlq", 0): 3, ("order_placed_dlq", 1): 0}
    ends = {("order_placed_dlq", 0): 5, ("order_placed_dlq", 1): 0}
    assert messages_by_topic(starts, ends) == {"order_placed_dlq": 2}


def test_dead_letters_that_were_replayed_or_discarded_are_not_unresolved() -> None:
    assert unresolved_in(0, 5, ResolvedOffsets(0)) == 5
    assert unresolved_in(0, 5, ResolvedOffsets(2, frozenset({3}))) == 2
    assert unresolved_in(0, 5, ResolvedOffsets(5)) == 0


def test_dead_letters_that_kafka_has_deleted_are_not_unresolved() -> None:
    assert unresolved_in(4, 5, ResolvedOffsets(2, frozenset({3}))) == 1
    assert unresolved_in(7, 7, ResolvedOffsets(9)) == 0
