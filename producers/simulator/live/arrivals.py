"""Computes how many visits begin, so that events are sent at the requested rate. Pure."""

from producers.simulator.history.plan import EVENTS_PER_VISIT

RAMP_S = 30.0
"""Time over which the rate rises at the start, while the JVMs of the platform still compile."""

SMOOTHING_S = 5.0
"""Time constant of the measured rate."""

PROPORTIONAL_GAIN = 1.0
"""Additional visits while there are no events yet, in multiples of the steady number.

Visits last many minutes, so with fewer additional visits the rate would be reached only after half an hour.
With more, the rate would overshoot, because the first views of a visit lead to more lists than later views.
"""

INTEGRAL_TIME_S = 900.0
"""Time over which a lasting error is corrected, for example after visits became shorter than in the past."""

MAX_INTEGRAL = 0.5


class ArrivalController:
    """A proportional-integral controller of the number of visits; `rate` is in events per second.

    While visits are slowed down (load_controller.py), it counts in simulated seconds.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._elapsed_s = 0.0
        self._smoothed_rate = 0.0
        self._integral = 0.0

    def expected_visits(self, events: int, elapsed_s: float) -> float:
        """Return the expected number of visits in the next `elapsed_s`.

        `events` is the number of events in the last `elapsed_s`.
        """
        self._elapsed_s += elapsed_s
        self._smoothed_rate += (events / elapsed_s - self._smoothed_rate) * min(1.0, elapsed_s / SMOOTHING_S)
        error = 1.0 - self._smoothed_rate / self._rate
        integral = self._integral + error * elapsed_s / INTEGRAL_TIME_S
        self._integral = min(max(integral, -MAX_INTEGRAL), MAX_INTEGRAL)
        steady = self._rate / EVENTS_PER_VISIT * min(1.0, self._elapsed_s / RAMP_S)
        return steady * max(0.0, 1.0 + PROPORTIONAL_GAIN * error + self._integral) * elapsed_s
