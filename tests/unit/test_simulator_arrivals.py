"""The live rate is reached within minutes and not exceeded, whatever the number of events per visit."""

import numpy as np
import pytest

from producers.simulator.live.arrivals import ArrivalController
from producers.simulator.randomness import Floats
from producers.simulator.visits import draw_gaps

RATE, TICK_S, MINUTES = 1_000.0, 0.2, 40


def rates_of_minutes(events_per_visit: float) -> Floats:
    """Return the rate in each minute, for visits whose steps have the simulator's intervals."""
    rng, arrivals = np.random.default_rng(1), ArrivalController(RATE)
    ticks = int(MINUTES * 60 / TICK_S)
    events = np.zeros(ticks + 1, int)
    for tick in range(ticks):
        begun = rng.poisson(arrivals.expected_visits(int(events[tick]), TICK_S))
        lengths = rng.geometric(1 / events_per_visit, begun)
        since_first_visit = np.cumsum(draw_gaps(rng, int(lengths.sum())) / 1000 / TICK_S)
        ends = np.cumsum(lengths)
        began = np.append(0.0, since_first_visit[ends - 1])[:-1]
        at = tick + 1 + (since_first_visit - np.repeat(began, lengths)).astype(int)
        np.add.at(events, at[at <= ticks], 1)
    return events[1:].reshape(MINUTES, -1).mean(axis=1) / TICK_S


@pytest.mark.parametrize("events_per_visit", [6.0, 9.7, 14.0])
def test_a_rate_is_reached_within_minutes_and_kept(events_per_visit: float) -> None:
    rates = rates_of_minutes(events_per_visit)

    assert rates.max() < 1.25 * RATE
    assert rates[4:].min() > 0.75 * RATE
    assert rates[20:].mean() == pytest.approx(RATE, rel=0.1)
