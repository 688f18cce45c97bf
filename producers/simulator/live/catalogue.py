"""Publishes the catalogue of a world without history, and the price changes of flash sales."""

from collections.abc import Mapping

from common.clock import Clock, to_millis
from common.settings import Settings
from producers.feed.events import merge
from producers.feed.timeline_sender import TimelineSender
from producers.simulator.calendar import DAY_MS, Calendar
from producers.simulator.history import registrations
from producers.simulator.history.prices import PriceList
from producers.simulator.world.world import World

_AHEAD_DAYS = 60
"""Days after the start for which flash sales are planned. A simulator that runs longer must be restarted."""

_BACK_DAYS = 8
"""Days before the start whose flash sales are published, so that sales end that ended since the last run."""


def publish_catalogue(world: World, settings: Settings, schema_ids: Mapping[str, int], at_ms: int) -> None:
    """Register sellers, products and shoppers.

    Event ids are derived from `at_ms`, so that a repeated call with the same time changes nothing.

    Raises:
        PartUnavailable: Kafka is unavailable.
    """
    begin_ms = at_ms - registrations.OPENS_AFTER_MS
    people = registrations.shopper_registrations(world, begin_ms, at_ms)
    delivery = TimelineSender(settings.kafka, schema_ids, lambda _: None, lambda _: None)
    delivery.send(merge([*registrations.catalogue_events(world, begin_ms), people]))


class FlashSalePublisher:
    """Publishes the price changes of flash sales as they begin and end."""

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
        self._published_ms = now_ms - _BACK_DAYS * DAY_MS
        self._clock = clock
        self.prices = PriceList(world, calendar.sales(self._published_ms, now_ms + _AHEAD_DAYS * DAY_MS))
        self._delivery = TimelineSender(settings.kafka, schema_ids, lambda _: None, lambda _: None)

    def publish_due(self) -> None:
        """Publish the flash sales that have begun or ended since the last call.

        The first call covers the last eight days.

        Raises:
            PartUnavailable: Kafka is unavailable. The next call publishes the same changes.
        """
        now_ms = to_millis(self._clock())
        due = [
            events
            for events in self.prices.changes()
            if self._published_ms < int(events.occurred_at[0]) <= now_ms
        ]
        if due:
            self._delivery.send(merge(due))
        self._published_ms = now_ms
