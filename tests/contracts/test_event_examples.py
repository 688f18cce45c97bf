"""Every event has examples, and every example survives encoding and decoding with the current schema."""

import pytest

from schemas.codec import Decoder, Encoder
from schemas.events import EventSchema, all_events
from tests.event_examples import EXAMPLES_DIR, examples

EVENTS = all_events()
EXAMPLES = [
    pytest.param(event, record, id=f"{event.name}-{name}")
    for event in EVENTS.values()
    for name, record in examples(event).items()
]


@pytest.mark.parametrize(("event", "record"), EXAMPLES)
def test_every_example_decodes_to_what_was_encoded(event: EventSchema, record: dict[str, object]) -> None:
    message = Encoder(event, 7).encode(record)

    decoded = Decoder(lambda _: event.schema).decode(message, event)

    assert message[:5] == b"\x00\x00\x00\x00\x07"
    assert {name: decoded[name] for name in record} == record


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_every_event_has_an_example_with_nulls_and_one_of_extremes(event: EventSchema) -> None:
    assert {"typical", "minimal", "extreme"} <= set(examples(event))


def test_no_example_is_left_of_an_event_that_is_gone() -> None:
    assert {path.name for path in EXAMPLES_DIR.iterdir()} == set(EVENTS)


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_every_event_begins_with_its_id_and_time_and_documents_every_field(event: EventSchema) -> None:
    assert [field["name"] for field in event.fields[:2]] == ["event_id", "occurred_at"]
    assert event.fields[1]["type"] == {"type": "long", "logicalType": "timestamp-millis"}
    assert all(field.get("doc") for field in _all_fields(event.schema))


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_money_is_a_whole_number_of_minor_units_beside_a_currency(event: EventSchema) -> None:
    amounts = [field for field in _all_fields(event.schema) if field["name"].endswith("_minor")]

    assert all(field["type"] in ("long", ["null", "long"]) for field in amounts)
    assert not amounts or "currency" in {field["name"] for field in event.fields}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_every_nullable_field_can_be_left_out_and_every_enum_can_grow(event: EventSchema) -> None:
    types = [(field, field["type"]) for field in _all_fields(event.schema)]

    assert all(field["default"] is None for field, type_ in types if isinstance(type_, list))
    assert all(
        type_.get("default") for _, type_ in types if isinstance(type_, dict) and type_["type"] == "enum"
    )


def _all_fields(record: dict[str, object]) -> list[dict[str, object]]:
    fields = list(record["fields"])
    for field in record["fields"]:
        type_ = field["type"]
        items = type_.get("items") if isinstance(type_, dict) else None
        fields += _all_fields(items) if isinstance(items, dict) else []
    return fields
