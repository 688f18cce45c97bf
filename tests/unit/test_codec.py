import json
from datetime import UTC, datetime

import fastavro
import pytest

from common.errors import PartUnavailable, Rejected
from schemas.codec import Decoder, Encoder, NotEncodable
from schemas.events import EventSchema, all_events
from tests.event_examples import examples

CONFIRMED = all_events()["order_confirmed"]
RECORD = {"event_id": "e", "occurred_at": 1_511_535_845_678, "order_id": "o", "shopper_id": "s"}
ADDED = {
    "order_confirmed": {"placed_at": None, "currency": None, "lines": []},
    "order_cancelled": {"confirmed_at": None},
    "payment_refunded": {"seller_id": None, "placed_at": None, "lines": []},
}
"""Event → the fields that its first version did not have, with their defaults."""


def first_version(name: str) -> EventSchema:
    event = all_events()[name]
    fields = [field for field in event.fields if field["name"] not in ADDED[name]]
    text = json.dumps({**event.schema, "fields": fields})
    return EventSchema(name, text, json.loads(text), fastavro.parse_schema(json.loads(text)), event.topic)


def no_such_schema(schema_id: int) -> object:
    raise Rejected(f"no schema {schema_id}")


def test_milliseconds_are_encoded_as_the_datetime_that_they_are() -> None:
    message = Encoder(CONFIRMED, 1).encode(RECORD)

    decoded = Decoder(lambda _: CONFIRMED.schema).decode(message)

    assert decoded["occurred_at"] == datetime(2017, 11, 24, 15, 4, 5, 678_000, UTC)


@pytest.mark.parametrize("name", ADDED)
def test_an_event_of_the_first_version_has_the_defaults_of_the_fields_since(name: str) -> None:
    event, first = all_events()[name], first_version(name)
    record = examples(event)["earlier"]
    message = Encoder(first, 1).encode(record)

    decoded = Decoder(lambda _: first.schema).decode(message, event)

    assert decoded == record | ADDED[name]


@pytest.mark.parametrize("name", ADDED)
def test_a_reader_of_the_first_version_reads_todays_events(name: str) -> None:
    event, first = all_events()[name], first_version(name)
    record = examples(event)["typical"]

    decoded = Decoder(lambda _: event.schema).decode(Encoder(event, 1).encode(record), first)

    assert decoded == {field: value for field, value in record.items() if field not in ADDED[name]}


def test_one_encoder_encodes_again_after_a_record_that_did_not_fit() -> None:
    encoder = Encoder(CONFIRMED, 1)
    first = encoder.encode(RECORD)
    with pytest.raises(NotEncodable):
        encoder.encode({"event_id": "e"})

    assert encoder.encode(RECORD) == first


def test_the_error_names_the_field_that_does_not_fit() -> None:
    with pytest.raises(NotEncodable, match=r"order_confirmed: .*order_id"):
        Encoder(CONFIRMED, 1).encode(RECORD | {"order_id": 7})


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "shorter than"),
        (b"", "shorter than"),
        (b"\x00\x00\x00", "shorter than"),
        (b"{'event_id': 1}", "first byte is 123"),
        (b"\x00\x00\x00\x00\x01", "broken event"),
        (b"\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "broken event"),
    ],
)
def test_what_is_no_event_is_rejected_with_the_reason(message: bytes | None, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        Decoder(lambda _: CONFIRMED.schema).decode(message)


def test_every_cut_of_an_event_is_rejected() -> None:
    message = Encoder(CONFIRMED, 1).encode(RECORD)
    decoder = Decoder(lambda _: CONFIRMED.schema)

    for length in range(len(message)):
        with pytest.raises(Rejected):
            decoder.decode(message[:length])


def test_an_event_with_bytes_after_its_end_is_rejected() -> None:
    message = Encoder(CONFIRMED, 1).encode(RECORD)

    with pytest.raises(Rejected, match="2 bytes too many"):
        Decoder(lambda _: CONFIRMED.schema).decode(message + b"xy")


def test_an_unknown_schema_id_is_rejected() -> None:
    with pytest.raises(Rejected, match="no schema 9"):
        Decoder(no_such_schema).decode(Encoder(CONFIRMED, 9).encode(RECORD))


def test_an_event_is_not_to_blame_for_a_registry_that_is_away() -> None:
    def away(_schema_id: int) -> object:
        raise PartUnavailable("the registry does not answer")

    with pytest.raises(PartUnavailable):
        Decoder(away).decode(Encoder(CONFIRMED, 9).encode(RECORD))
