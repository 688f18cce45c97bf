"""The parameters of a history: its world, end, weeks and approximate number of events."""

from dataclasses import dataclass

from common.errors import UserError
from producers.simulator.calendar import DAY_MS
from producers.simulator.world.shape import WorldShape

EVENTS_PER_VISIT = 9.7
"""Measured: browsing events, orders and everything that follows from them."""

UNITS_PER_VISIT = 0.09
"""Measured: units bought in a visit."""


@dataclass(frozen=True)
class HistoryPlan:
    """A history of `weeks` weeks up to `end_ms` (excluded, Unix milliseconds), of about `events` events.

    A refill covers what sells in `stock_days`.

    Raises:
        UserError: `weeks` is out of range, or there are too few events to register the world.
    """

    shape: WorldShape
    end_ms: int
    weeks: int = 4
    events: int = 600_000
    stock_days: float = 6.0

    def __post_init__(self) -> None:
        if not 1 <= self.weeks <= 104:
            raise UserError(f"--weeks {self.weeks}: give 1 to 104")
        if self.events <= self.registration_events:
            raise UserError(
                f"--events {self.events}: registering a world of this size "
                f"takes {self.registration_events:,}: give more, or fewer --sellers, --products or --shoppers"
            )

    @property
    def start_ms(self) -> int:
        """The start of the history."""
        return self.end_ms - self.days * DAY_MS

    @property
    def days(self) -> int:
        """The length of the history."""
        return 7 * self.weeks

    @property
    def registration_events(self) -> int:
        """Number of registration events: two per seller, two per product, one per shopper."""
        return 2 * self.shape.sellers + 2 * self.shape.products + self.shape.shoppers

    @property
    def visits_per_day(self) -> float:
        """Visits on an average day."""
        return (self.events - self.registration_events) / EVENTS_PER_VISIT / self.days

    @property
    def units_per_day(self) -> float:
        """Units that sell on an average day."""
        return self.visits_per_day * UNITS_PER_VISIT
