from jobs.settle import settle, settle_while_moving


def test_settling_waits_until_nothing_is_left_to_read():
    behind = iter([5, 2, 0])
    seen, hurried = [], []

    assert settle(lambda: next(behind), wait_s=30, progress=seen.append, hurry=lambda: hurried.append(True))
    assert seen == [5, 2]
    assert hurried == [True]


def test_settling_gives_up_at_its_deadline():
    assert not settle(lambda: 1, wait_s=0, progress=lambda _: None, hurry=lambda: None)


def test_settling_goes_on_past_its_patience_while_something_is_read():
    behind = iter([9, 9, 7, 7, 4, 4, 0])

    assert settle_while_moving(lambda: next(behind), 0, progress=lambda _: None, hurry=lambda: None) == 0
    assert next(behind, None) is None


def test_settling_tells_what_is_left_where_nothing_is_read():
    behind = iter([9, 9, 7, 7, 7, 7])

    assert settle_while_moving(lambda: next(behind), 0, progress=lambda _: None, hurry=lambda: None) == 7
