"""Shoppers live slower while the platform does not keep up, and as fast as was asked again afterwards."""

from itertools import pairwise

import pytest

from producers.simulator.live.pace import (
    CURRENT_S,
    GRACE_S,
    LATE_S,
    LOOK_EVERY_S,
    MANY_WAITING,
    SLOWEST,
    Pace,
    Signs,
)

WELL = Signs(behind_s=2.0, waiting=0, unanswered=0)


def pace_after(*signs: Signs, grace_s: float = GRACE_S) -> Pace:
    """The pace after looking at these, the first of them so long after the start."""
    pace = Pace(0)
    for number, each in enumerate(signs):
        pace.look(each, round((grace_s + number * LOOK_EVERY_S) * 1000))
    return pace


@pytest.mark.parametrize(
    ("sign", "said"),
    [
        (Signs(2.0, 0, 3), "3 requests got no answer"),
        (Signs(2.0, MANY_WAITING + 1, 0), "101 requests waited"),
        (Signs(LATE_S + 1, 0, 0), "21 s behind"),
    ],
)
def test_trouble_slows_shoppers_and_says_why(sign: Signs, said: str) -> None:
    pace = pace_after(sign)

    assert pace.share < 1
    assert said in pace.reason
    assert pace_after(sign, sign).share < pace.share


@pytest.mark.parametrize("sign", [WELL, Signs(None, 0, 0), Signs(LATE_S, MANY_WAITING, 0)])
def test_who_keeps_up_or_does_not_know_is_not_slowed(sign: Signs) -> None:
    pace = pace_after(sign, sign)

    assert (pace.share, pace.reason) == (1.0, "")


def test_figures_of_before_the_start_slow_nobody() -> None:
    assert pace_after(Signs(3_600.0, 0, 5), grace_s=GRACE_S - 1).share == 1.0


def test_it_is_never_slower_than_the_slowest_and_comes_back_little_by_little() -> None:
    overloaded = [Signs(LATE_S + 10 * number, 0, 0) for number in range(1, 40)]
    back = [WELL] * 60

    assert pace_after(*overloaded).share == SLOWEST
    shares = [pace_after(*overloaded, *back[:count]).share for count in range(60)]
    assert shares == sorted(shares)
    assert max(after - before for before, after in pairwise(shares)) < 0.05
    assert (shares[-1], pace_after(*overloaded, *back).reason) == (1.0, "")


def test_figures_that_catch_up_are_waited_for() -> None:
    late = Signs(LATE_S + 60, 0, 0)
    nearer = Signs(LATE_S + 30, 0, 0)
    between = Signs((LATE_S + CURRENT_S) / 2, 0, 0)

    slowed = pace_after(late).share
    assert pace_after(late, nearer).share == slowed
    assert pace_after(late, nearer, nearer).share < slowed
    assert pace_after(late, nearer, between).share == slowed


def test_a_slower_clock_goes_on_from_where_it_was() -> None:
    pace = Pace(1_000)
    assert pace.shoppers_ms(3_000) == 3_000
    pace.share = 0.25
    assert pace.shoppers_ms(7_000) == 4_000
    pace.share = 1.0
    assert pace.shoppers_ms(8_000) == 5_000
    assert pace.real_ms(5_000) == 8_000
