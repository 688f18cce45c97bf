from jobs.catch_up import wait_for_zero_lag, wait_while_lag_falls


def test_waiting_ends_when_the_lag_is_zero():
    behind = iter([5, 2, 0])
    seen, requested = [], []

    assert wait_for_zero_lag(
        lambda: next(behind), wait_s=30, progress=seen.append, request_commit=lambda: requested.append(True)
    )
    assert seen == [5, 2]
    assert requested == [True]


def test_waiting_ends_at_its_deadline():
    assert not wait_for_zero_lag(lambda: 1, wait_s=0, progress=lambda _: None, request_commit=lambda: None)


def test_waiting_continues_while_the_lag_falls():
    behind = iter([9, 9, 7, 7, 4, 4, 0])

    assert (
        wait_while_lag_falls(lambda: next(behind), 0, progress=lambda _: None, request_commit=lambda: None)
        == 0
    )
    assert next(behind, None) is None


def test_waiting_returns_the_lag_that_does_not_fall():
    behind = iter([9, 9, 7, 7, 7, 7])

    assert (
        wait_while_lag_falls(lambda: next(behind), 0, progress=lambda _: None, request_commit=lambda: None)
        == 7
    )
