from common.consumer_lag import lag_by_group, messages_by_topic


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
