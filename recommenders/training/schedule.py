"""When the platform trains: once there is enough to learn from, then every night, and after a drift. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from common.nights import last_night
from common.training_runs import Trigger

MIN_EVENTS = 5_000
"""The first training waits for this many views, additions to carts and order lines."""

MAX_GROWTH = 0.03
"""The first training waits while events grow more between two checks: a history is being loaded."""

SETTLED_CHECKS = 2
"""The number of checks in a row for which that growth must be small."""

RETRY_AFTER = timedelta(minutes=15)
"""The pause after a training that failed or was killed."""


@dataclass(frozen=True, slots=True)
class TrainingState:
    """What is known at a check.

    `events` is the number of events of now and of the checks before, the newest first. `trained_at` is the
    time of the newest model card, `started_at` when the newest training began, and `attempted_at` when this
    process last began one, or None.
    """

    has_model: bool
    trained_at: datetime | None
    started_at: datetime | None
    attempted_at: datetime | None
    events: tuple[int, ...]


def due(state: TrainingState, now: datetime, hour: int, timezone: ZoneInfo) -> Trigger | None:
    """Return why to train now, or None. `hour` is that of the shop's night.

    A night that was missed, because the platform was stopped, is made up for.
    """
    if state.attempted_at is not None and now - state.attempted_at < RETRY_AFTER:
        return None
    if not state.has_model:
        return "first" if has_settled(state.events) else None
    is_old = state.trained_at is None or state.trained_at < last_night(now, hour, timezone)
    return "scheduled" if is_old else None


def may_follow_drift(state: TrainingState, now: datetime, pause: timedelta) -> bool:
    """Return whether a drift may start a training: if none began within `pause`, whatever its outcome."""
    began = [each for each in (state.started_at, state.attempted_at, state.trained_at) if each is not None]
    return state.has_model and all(now - each >= pause for each in began)


def has_settled(events: tuple[int, ...]) -> bool:
    """Return whether there are enough events and no history is being loaded. The newest number is first."""
    if len(events) <= SETTLED_CHECKS or events[0] < MIN_EVENTS:
        return False
    pairs = pairwise(events[: SETTLED_CHECKS + 1])
    return all(newer <= (1 + MAX_GROWTH) * older for newer, older in pairs)
