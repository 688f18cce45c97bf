"""What a history is made of: a world, its end, how many weeks, and about how many events."""

from dataclasses import dataclass

from common.errors import UserError
from producers.simulator.calendar import DAY_MS
from producers.simulator.world.shape import Shape

EVENTS_PER_VISIT = 9.7
"""Measured: browsing, orders and all that follows from them."""

UNITS_PER_VISIT = 0.09
"""Measured: units bought in a visit."""


@dataclass(frozen=True)
class Plan:
    """A history of `weeks` weeks up to `end_ms` (excluded, Unix milliseconds), of about `events` events.

    A refill brings a product's stock up to what sells in `stock_days`.

    Raises:
        UserError: fewer events than it takes to introduce the world, or no time for them.
    """

    shape: Shape
    end_ms: int
    weeks: int = 4
    events: int = 600_000
    stock_days: float = 6.0

    def __post_init__(self) -> None:
        if not 1 <= self.weeks <= 104:
            raise UserError(f"--weeks {self.weeks}: give 1 to 104")
        if self.events <= self.introductions:
            raise UserError(
                f"--events {self.events}: introducing a world of this size takes {self.introductions:,}: "
                "give more, or fewer --sellers, --products and --shoppers"
            )

    @property
    def start_ms(self) -> int:
        """When the history begins."""
        return self.end_ms - self.days * DAY_MS

    @property
    def days(self) -> int:
        """Its length."""
        return 7 * self.weeks

    @property
    def introductions(self) -> int:
        """Events that say who there is: two a seller, two a product, one a shopper."""
        return 2 * self.shape.sellers + 2 * self.shape.products + self.shape.shoppers

    @property
    def visits_per_day(self) -> float:
        """On an average day."""
        return (self.events - self.introductions) / EVENTS_PER_VISIT / self.days

    @property
    def units_per_day(self) -> float:
        """What sellers expect to sell."""
        return self.visits_per_day * UNITS_PER_VISIT
