"""When the platform trains: once as soon as there is enough to learn from, then every night. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

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
    time of the newest model card, and `attempted_at` when this process last began a training, or None.
    """

    has_model: bool
    trained_at: datetime | None
    attempted_at: datetime | None
    events: tuple[int, ...]


def is_due(state: TrainingState, now: datetime, hour: int, timezone: ZoneInfo) -> bool:
    """Return whether to train now. `hour` is that of the shop's night.

    A night that was missed, because the platform was stopped, is made up for.
    """
    if state.attempted_at is not None and now - state.attempted_at < RETRY_AFTER:
        return False
    if not state.has_model:
        return has_settled(state.events)
    return state.trained_at is None or state.trained_at < last_night(now, hour, timezone)


def has_settled(events: tuple[int, ...]) -> bool:
    """Return whether there are enough events and no history is being loaded. The newest number is first."""
    if len(events) <= SETTLED_CHECKS or events[0] < MIN_EVENTS:
        return False
    pairs = pairwise(events[: SETTLED_CHECKS + 1])
    return all(newer <= (1 + MAX_GROWTH) * older for newer, older in pairs)


def last_night(now: datetime, hour: int, timezone: ZoneInfo) -> datetime:
    """Return the newest time until `now` at which the shop's clock showed `hour`."""
    local = now.astimezone(timezone)
    tonight = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return tonight if tonight <= local else tonight - timedelta(days=1)
