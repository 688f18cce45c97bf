"""Publishes the catalogue of a world without history."""

from collections.abc import Mapping

from common.settings import Settings
from producers.feed.events import merge
from producers.feed.timeline_sender import TimelineSender
from producers.simulator.history import registrations
from producers.simulator.world.world import World


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
