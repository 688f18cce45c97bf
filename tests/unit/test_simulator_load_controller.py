"""Visits slow down while the platform does not keep up, and then return to the requested rate.

The platform is simulated by a queue, which processes a multiple of the requested events a second.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import mean

import pytest

from producers.simulator.live.load_controller import (
    COOLDOWN_S,
    CURRENT_S,
    LATE_S,
    MAX_FAILED_REQUESTS,
    MAX_PAUSE_S,
    MAX_QUEUED_EVENTS_S,
    MAX_QUEUED_REQUESTS,
    MIN_PACE,
    SPEED_UP_PER_S,
    FreshnessReading,
    LoadController,
    LoadSignals,
)

WELL = LoadSignals(0, 0.0, 0)
USUAL_LAG_S = 2.0
HALF_AN_HOUR_S = 1_800
EVERY_S = 0.2


@dataclass
class Run:
    """The pace in each second, and the lag of figures."""

    shares: list[float] = field(default_factory=list)
    behind_s: list[float] = field(default_factory=list)


def live(capacity: Callable[[int], float], seconds: int = HALF_AN_HOUR_S) -> Run:
    """Simulate a platform that processes `capacity(second)` times the requested events."""
    tempo, run, waiting, next_look_s = LoadController(0.0), Run(), deque[list[float]](), 0.0
    for now_s in range(1, seconds + 1):
        waiting.append([now_s, tempo.pace])
        room = capacity(now_s)
        while waiting and room > 0:
            counted = min(room, waiting[0][1])
            room -= counted
            waiting[0][1] -= counted
            if waiting[0][1] <= 0:
                waiting.popleft()
        as_of_s = (waiting[0][0] if waiting else now_s) - USUAL_LAG_S
        tempo.update_load(WELL, now_s)
        if now_s >= next_look_s:
            tempo.update_freshness(FreshnessReading(now_s, as_of_s, now_s - as_of_s))
            next_look_s = now_s + min(5.0, 1 / tempo.pace)
        run.shares.append(tempo.pace)
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
    tempo = LoadController(0.0)
    for now_s in range(0, 3_600, 5):
        tempo.update_freshness(FreshnessReading(now_s, -86_400.0, 0.0))
        tempo.update_load(WELL, now_s)

    assert (tempo.pace, tempo.reason) == (1.0, "")


def look(tempo: LoadController, signs: LoadSignals, seconds: float, begun_s: float = 0.0) -> float:
    """Update the controller for `seconds`; return the time at the end."""
    for number in range(1, round(seconds / EVERY_S) + 1):
        tempo.tick(begun_s + number * EVERY_S)
        tempo.update_load(signs, begun_s + number * EVERY_S)
    return begun_s + seconds


WAITING = LoadSignals(MAX_QUEUED_REQUESTS + 1, 0.0, 0)
UNSENT = LoadSignals(0, MAX_QUEUED_EVENTS_S + 1, 0)


@pytest.mark.parametrize("signs", [WAITING, UNSENT])
def test_shoppers_who_wait_for_a_moment_stand_still_and_go_on(signs: LoadSignals) -> None:
    tempo = LoadController(0.0)
    over_s = look(tempo, signs, MAX_PAUSE_S - EVERY_S)
    stood = tempo.speed
    look(tempo, WELL, 1.0, over_s)

    assert (stood, tempo.speed, tempo.reason) == (0.0, 1.0, "")
    assert tempo.delay_s == pytest.approx(MAX_PAUSE_S - EVERY_S)


@pytest.mark.parametrize(
    ("signs", "said"), [(WAITING, "101 requests waited"), (UNSENT, "events of 4 s waited")]
)
def test_shoppers_who_wait_again_and_again_live_slower(signs: LoadSignals, said: str) -> None:
    tempo, now_s = LoadController(0.0), 0.0
    for _ in range(4):
        now_s = look(tempo, WELL, 1.0, look(tempo, signs, 0.4, now_s))
    slowed = tempo.pace

    assert slowed < 0.8
    assert said in tempo.reason
    look(tempo, signs, 60.0, now_s)
    assert tempo.pace == MIN_PACE


def test_requests_that_get_no_answer_slow_shoppers_at_once_but_not_twice_for_the_same() -> None:
    tempo, failed = LoadController(0.0), LoadSignals(0, 0.0, MAX_FAILED_REQUESTS)
    over_s = look(tempo, failed, EVERY_S)
    first = tempo.pace
    look(tempo, failed, COOLDOWN_S / 2, over_s)

    assert first < 0.8
    assert "5 requests at once got no answer" in tempo.reason
    assert tempo.pace == first


def test_after_an_outage_shoppers_are_as_fast_as_before_within_minutes() -> None:
    tempo = LoadController(0.0)
    over_s = look(tempo, LoadSignals(0, 0.0, MAX_FAILED_REQUESTS), 60.0)
    slowest = tempo.pace
    look(tempo, WELL, 300.0, over_s)

    assert (slowest, tempo.pace, tempo.reason) == (MIN_PACE, 1.0, "")


def test_a_clock_that_is_set_back_stops_nobody() -> None:
    tempo, failed = LoadController(0.0), LoadSignals(0, 0.0, MAX_FAILED_REQUESTS)
    look(tempo, failed, 10.0, 1_000.0)
    slowed, late_s = tempo.pace, tempo.delay_s
    look(tempo, WELL, 1.0, 400.0)

    assert 1.0 >= tempo.pace >= slowed
    assert late_s <= tempo.delay_s <= late_s + 1.0
    look(tempo, failed, 10.0, 401.0)
    assert tempo.pace < slowed


def test_a_mishap_slows_nobody() -> None:
    tempo = LoadController(0.0)
    tempo.update_load(LoadSignals(MAX_QUEUED_REQUESTS, MAX_QUEUED_EVENTS_S, MAX_FAILED_REQUESTS - 1), 1.0)

    assert tempo.pace == 1.0


def test_figures_in_between_hold_the_tempo_for_a_while_only() -> None:
    tempo = LoadController(0.0)
    tempo.update_load(LoadSignals(0, 0.0, MAX_FAILED_REQUESTS), 1.0)
    slowed = tempo.pace
    for now_s in range(2, 50):
        tempo.update_freshness(FreshnessReading(now_s, now_s - 15.0, (LATE_S + CURRENT_S) / 2))
        tempo.update_load(WELL, now_s)
    held = tempo.pace
    for now_s in range(50, 300):
        tempo.update_load(WELL, now_s)

    assert held == slowed < tempo.pace
    assert tempo.pace - slowed <= 300 * SPEED_UP_PER_S


def test_the_shoppers_clock_falls_behind_by_what_they_did_not_live() -> None:
    tempo = LoadController(10.0)
    tempo.tick(14.0)
    assert tempo.delay_s == 0.0
    tempo.pace = 0.25
    tempo.tick(18.0)
    assert tempo.delay_s == 3.0
    tempo.pace = 1.0
    tempo.tick(30.0)
    assert tempo.delay_s == 3.0
