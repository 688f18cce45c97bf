"""Which responses an event drops, and whether the watcher has read all events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from serving.kit.cache.keys import entry_key, popular_tags, products_tags
from serving.kit.cache.watcher import DROPPED_BY, MAX_TAGS, TopicReading
from serving.kit.cached_responses import StoredResponse

ENDS = {("product_listed", 0): 10, ("stock_changed", 0): 4}


@dataclass(frozen=True)
class Record:
    """What Kafka's client returns: a message, the end of a partition, or an error."""

    of: str
    at: int
    id: str = "lamp"
    problem: int | None = None

    def topic(self) -> str:
        return self.of

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes:
        return self.id.encode()

    def error(self) -> KafkaError | None:
        return None if self.problem is None else KafkaError(self.problem)


def taken(*records: Record, positions: dict[tuple[str, int], int] | None = None) -> TopicReading:
    reading = TopicReading(dict(positions or ENDS))
    messages: Sequence[Any] = records
    reading.take(messages)
    return reading


def test_a_listing_drops_its_product_and_every_list() -> None:
    assert taken(Record("product_listed", 10)).tags == {"product:lamp", "catalogue"}


def test_a_change_of_stock_drops_what_shows_the_product() -> None:
    assert taken(Record("stock_changed", 4)).tags == {"product:lamp"}


@pytest.mark.parametrize("event", ["product_listed", "product_changed", "product_delisted"])
def test_a_page_of_products_has_a_tag_of_every_event_that_changes_it(event: str) -> None:
    lamp: Any = {"product_id": "lamp", "seller_id": "ana"}
    tags = products_tags({"found": 1, "products": [lamp], "next_cursor": None})

    assert tags & set(DROPPED_BY[event]("lamp"))
    assert tags & set(DROPPED_BY["stock_changed"]("lamp"))
    assert tags & set(DROPPED_BY["seller_registered"]("ana"))
    assert tags & set(DROPPED_BY["seller_changed"]("ana"))
    assert not tags & set(DROPPED_BY["stock_changed"]("desk"))


def test_an_order_drops_the_rankings() -> None:
    assert popular_tags({"products": []}) & set(DROPPED_BY["order_confirmed"]("order-1"))


def test_all_events_are_read_once_the_position_is_at_the_end() -> None:
    reading = taken(Record("product_listed", 8), positions={("product_listed", 0): 8})
    assert not reading.has_reached({("product_listed", 0): 10})
    assert taken(Record("product_listed", 9)).has_reached({("product_listed", 0): 10})


def test_control_records_at_the_end_of_a_partition_count_as_read() -> None:
    end = Record("product_listed", 12, problem=KafkaError._PARTITION_EOF)
    reading = taken(Record("product_listed", 10), end)

    assert reading.has_reached({("product_listed", 0): 12})
    assert reading.tags == {"product:lamp", "catalogue"}


def test_missed_messages_are_an_error() -> None:
    with pytest.raises(KafkaException):
        taken(Record("product_listed", 3, problem=KafkaError._AUTO_OFFSET_RESET))


def test_a_replay_collects_a_bounded_number_of_tags() -> None:
    replayed = (Record("product_listed", number, f"p{number}") for number in range(100_000))
    assert MAX_TAGS < len(taken(*replayed).tags) <= MAX_TAGS + 2


def test_an_entry_belongs_to_its_cache_and_all_its_parts() -> None:
    keys = {
        *(entry_key("products", ("lamp", "", None)), entry_key("products", ("", "lamp", None))),
        *(entry_key("products", ("lamp", "", 1)), entry_key("listing_page", ("lamp", "", None))),
    }
    assert len(keys) == 4


def test_a_stored_response_is_read_as_it_was_written() -> None:
    stored = StoredResponse("text/csv", '"e"', None, b"a\nb\n\x00\xff")
    assert StoredResponse.unpack(stored.pack()) == stored
