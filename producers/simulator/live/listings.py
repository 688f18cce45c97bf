"""The catalogue of live traffic: introduced where no history did it, and changed by flash sales."""

from collections.abc import Mapping

from common.clock import Clock, to_millis
from common.settings import Settings
from producers.feed.delivery import Delivery
from producers.feed.events import merge
from producers.simulator.calendar import DAY_MS, Calendar
from producers.simulator.history import introduction
from producers.simulator.history.prices import PriceList
from producers.simulator.world.world import World

_AHEAD_DAYS = 60
"""Flash sales are known so far ahead; a simulator that runs longer is to be started again."""

_BACK_DAYS = 8
"""A sale that ended while nobody was there to say so is ended when traffic goes live."""


def introduce(world: World, settings: Settings, schema_ids: Mapping[str, int], at_ms: int) -> None:
    """Say who there is; the ids follow from `at_ms`, so that saying it again changes nothing.

    Raises:
        PartUnavailable: Kafka does not take it.
    """
    begin_ms = at_ms - introduction.OPENS_AFTER_MS
    people = introduction.joining(world, begin_ms, at_ms)
    delivery = Delivery(settings.kafka, schema_ids, lambda _: None, lambda _: None)
    delivery.send(merge([*introduction.catalogue(world, begin_ms), people]))


class Sales:
    """Tells of the flash sales as they begin and end."""

    def __init__(
        self,
        world: World,
        calendar: Calendar,
        settings: Settings,
        schema_ids: Mapping[str, int],
        clock: Clock,
    ) -> None:
        now_ms = to_millis(clock())
        self._begun_ms = now_ms
        self._told_ms = now_ms - _BACK_DAYS * DAY_MS
        self._clock = clock
        self.prices = PriceList(world, calendar.sales(self._told_ms, now_ms + _AHEAD_DAYS * DAY_MS))
        self._delivery = Delivery(settings.kafka, schema_ids, lambda _: None, lambda _: None)

    def tell(self) -> None:
        """Send what has begun or ended since the last time; at first, of the last eight days.

        Raises:
            PartUnavailable: Kafka does not take it; it is told the next time.
        """
        now_ms = to_millis(self._clock())
        due = [
            events for events in self.prices.changes() if self._told_ms < int(events.occurred_at[0]) <= now_ms
        ]
        if due:
            self._delivery.send(merge(due))
        self._told_ms = now_ms
