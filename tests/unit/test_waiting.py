from jobs.waiting import behind, lying


def test_a_group_is_behind_by_what_lies_after_its_offsets() -> None:
    ends = {("order_placed", 0): 10, ("order_placed", 1): 7}
    committed = {"facts": {("order_placed", 0): 4, ("order_placed", 1): 7}, "idle": {}}
    assert behind(committed, ends) == {"facts": 6, "idle": 0}


def test_a_topic_that_is_gone_or_began_anew_is_no_negative_lag() -> None:
    assert behind({"facts": {("gone", 0): 5, ("anew", 0): 5}}, {("anew", 0): 2}) == {"facts": 0}


def test_letters_are_counted_between_the_first_that_is_kept_and_the_end() -> None:
    starts = {("order_placed_dlq", 0): 3, ("order_placed_dlq", 1): 0}
    ends = {("order_placed_dlq", 0): 5, ("order_placed_dlq", 1): 0}
    assert lying(starts, ends) == {"order_placed_dlq": 2}
