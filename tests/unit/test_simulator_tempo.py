"""Shoppers live slower while the platform does not keep up, and as fast as was asked again afterwards.

The platform is a queue here: it counts so many times the asked events a second, the oldest first.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import mean

import pytest

from producers.simulator.live.tempo import (
    CURRENT_S,
    FASTER_A_S,
    LATE_S,
    LONG_UNSENT_S,
    MANY_UNANSWERED,
    MANY_WAITING,
    PAUSE_S,
    SLOWEST,
    STOOD_S,
    Reading,
    Signs,
    Tempo,
)

WELL = Signs(0, 0.0, 0)
USUAL_LAG_S = 2.0
HALF_AN_HOUR_S = 1_800
EVERY_S = 0.2


@dataclass
class Run:
    """The share of each second, and how far figures were behind."""

    shares: list[float] = field(default_factory=list)
    behind_s: list[float] = field(default_factory=list)


def live(capacity: Callable[[int], float], seconds: int = HALF_AN_HOUR_S) -> Run:
    """Shoppers, sellers, and a platform that counts `capacity(second)` times the asked events."""
    tempo, run, waiting, next_look_s = Tempo(0.0), Run(), deque[list[float]](), 0.0
    for now_s in range(1, seconds + 1):
        waiting.append([now_s, tempo.share])
        room = capacity(now_s)
        while waiting and room > 0:
            counted = min(room, waiting[0][1])
            room -= counted
            waiting[0][1] -= counted
            if waiting[0][1] <= 0:
                waiting.popleft()
        as_of_s = (waiting[0][0] if waiting else now_s) - USUAL_LAG_S
        tempo.look(WELL, now_s)
        if now_s >= next_look_s:
            tempo.read(Reading(now_s, as_of_s, now_s - as_of_s))
            next_look_s = now_s + min(5.0, 1 / tempo.share)
        run.shares.append(tempo.share)
        run.behind_s.append(now_s - as_of_s)
    return run


def test_what_a_platform_bears_is_never_slowed() -> None:
    assert set(live(lambda _: 1.1).shares) == {1.0}


@pytest.mark.parametrize("capacity", [0.25, 0.5, 0.75, 0.9])
def test_what_it_can_t_bear_is_slowed_to_about_that(capacity: float) -> None:
    run = live(lambda _: capacity)

    assert max(run.behind_s[HALF_AN_HOUR_S // 2 :]) < 3 * LATE_S
    assert 0.8 * capacity < mean(run.shares[HALF_AN_HOUR_S // 2 :]) < capacity


def test_after_a_part_was_away_shoppers_are_as_fast_as_before_within_minutes() -> None:
    run = live(lambda now_s: 0.0 if 300 < now_s <= 345 else 1.6)

    assert min(run.shares) < 0.5
    assert run.shares[645:] == [1.0] * (HALF_AN_HOUR_S - 645)


def test_where_nobody_buys_figures_are_not_late() -> None:
    tempo = Tempo(0.0)
    for now_s in range(0, 3_600, 5):
        tempo.read(Reading(now_s, -86_400.0, 0.0))
        tempo.look(WELL, now_s)

    assert (tempo.share, tempo.reason) == (1.0, "")


def look(tempo: Tempo, signs: Signs, seconds: float, begun_s: float = 0.0) -> float:
    """Look for so long; returns when that was over."""
    for number in range(1, round(seconds / EVERY_S) + 1):
        tempo.tick(begun_s + number * EVERY_S)
        tempo.look(signs, begun_s + number * EVERY_S)
    return begun_s + seconds


WAITING = Signs(MANY_WAITING + 1, 0.0, 0)
UNSENT = Signs(0, LONG_UNSENT_S + 1, 0)


@pytest.mark.parametrize("signs", [WAITING, UNSENT])
def test_shoppers_who_wait_for_a_moment_stand_still_and_go_on(signs: Signs) -> None:
    tempo = Tempo(0.0)
    over_s = look(tempo, signs, STOOD_S - EVERY_S)
    stood = tempo.speed
    look(tempo, WELL, 1.0, over_s)

    assert (stood, tempo.speed, tempo.reason) == (0.0, 1.0, "")
    assert tempo.late_s == pytest.approx(STOOD_S - EVERY_S)


@pytest.mark.parametrize(
    ("signs", "said"), [(WAITING, "101 requests waited"), (UNSENT, "events of 4 s waited")]
)
def test_shoppers_who_wait_again_and_again_live_slower(signs: Signs, said: str) -> None:
    tempo, now_s = Tempo(0.0), 0.0
    for _ in range(4):
        now_s = look(tempo, WELL, 1.0, look(tempo, signs, 0.4, now_s))
    slowed = tempo.share

    assert slowed < 0.8
    assert said in tempo.reason
    look(tempo, signs, 60.0, now_s)
    assert tempo.share == SLOWEST


def test_requests_that_get_no_answer_slow_shoppers_at_once_but_not_twice_for_the_same() -> None:
    tempo, failed = Tempo(0.0), Signs(0, 0.0, MANY_UNANSWERED)
    over_s = look(tempo, failed, EVERY_S)
    first = tempo.share
    look(tempo, failed, PAUSE_S / 2, over_s)

    assert first < 0.8
    assert "5 requests at once got no answer" in tempo.reason
    assert tempo.share == first


def test_after_an_outage_shoppers_are_as_fast_as_before_within_minutes() -> None:
    tempo = Tempo(0.0)
    over_s = look(tempo, Signs(0, 0.0, MANY_UNANSWERED), 60.0)
    slowest = tempo.share
    look(tempo, WELL, 300.0, over_s)

    assert (slowest, tempo.share, tempo.reason) == (SLOWEST, 1.0, "")


def test_a_clock_that_is_set_back_stops_nobody() -> None:
    tempo, failed = Tempo(0.0), Signs(0, 0.0, MANY_UNANSWERED)
    look(tempo, failed, 10.0, 1_000.0)
    slowed, late_s = tempo.share, tempo.late_s
    look(tempo, WELL, 1.0, 400.0)

    assert 1.0 >= tempo.share >= slowed
    assert late_s <= tempo.late_s <= late_s + 1.0
    look(tempo, failed, 10.0, 401.0)
    assert tempo.share < slowed


def test_a_mishap_slows_nobody() -> None:
    tempo = Tempo(0.0)
    tempo.look(Signs(MANY_WAITING, LONG_UNSENT_S, MANY_UNANSWERED - 1), 1.0)

    assert tempo.share == 1.0


def test_figures_in_between_hold_the_tempo_for_a_while_only() -> None:
    tempo = Tempo(0.0)
    tempo.look(Signs(0, 0.0, MANY_UNANSWERED), 1.0)
    slowed = tempo.share
    for now_s in range(2, 50):
        tempo.read(Reading(now_s, now_s - 15.0, (LATE_S + CURRENT_S) / 2))
        tempo.look(WELL, now_s)
    held = tempo.share
    for now_s in range(50, 300):
        tempo.look(WELL, now_s)

    assert held == slowed < tempo.share
    assert tempo.share - slowed <= 300 * FASTER_A_S


def test_the_shoppers_clock_falls_behind_by_what_they_did_not_live() -> None:
    tempo = Tempo(10.0)
    tempo.tick(14.0)
    assert tempo.late_s == 0.0
    tempo.share = 0.25
    tempo.tick(18.0)
    assert tempo.late_s == 3.0
    tempo.share = 1.0
    tempo.tick(30.0)
    assert tempo.late_s == 3.0
