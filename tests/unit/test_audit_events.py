"""Topics as tables of events: repeated, undecodable and dead-lettered messages."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from audit.comparisons import dead_letters, kafka_vs_facts
from audit.sources.clickhouse import plain
from audit.sources.events import decode_topic
from audit.sources.kafka import DeadLetterRecord
from common.errors import Rejected
from schemas.codec import Decoder, Encoder
from schemas.events import all_events

EVENT = all_events()["order_confirmed"]
SCHEMA_ID = 7


def find_schema(schema_id):
    if schema_id != SCHEMA_ID:
        raise Rejected(f"no schema {schema_id}")
    return EVENT.schema


def record(event_id, shopper_id="ana"):
    moment = datetime(2018, 6, 2, 2, 30, 0, 123_000, tzinfo=UTC)
    line = {
        "line_number": 1, "product_id": "p", "seller_id": "s", "quantity": 2, "unit_price_minor": 900,
        "discount_minor": 0, "shipping_minor": 150, "tax_minor": 0, "commission_bp": 1000,
        "marketplace_minor": None, "line_voucher_id": None, "order_voucher_id": None,
    }  # fmt: skip
    return {
        "event_id": event_id, "occurred_at": moment, "order_id": "o1", "shopper_id": shopper_id,
        "placed_at": moment, "currency": "BRL", "lines": [line],
    }  # fmt: skip


def encoded(*records):
    encoder = Encoder(EVENT, SCHEMA_ID)
    return [encoder.encode(each) for each in records]


def decoded(values):
    return decode_topic(values, EVENT, Decoder(find_schema))


def test_every_field_of_an_event_comes_back():
    contents = decoded(encoded(record("a")))

    assert contents.events.to_pylist() == [record("a")]


def test_an_event_from_before_a_field_has_its_default():
    old = {name: record("a")[name] for name in ("event_id", "occurred_at", "order_id", "shopper_id")}

    contents = decoded(encoded(old))

    assert contents.events.to_pylist() == [old | {"placed_at": None, "currency": None, "lines": []}]


def test_a_repeated_event_is_one_row_of_the_last_message():
    contents = decoded(encoded(record("a", "first"), record("b"), record("a", "last")))

    assert (contents.messages, contents.repeated, contents.events.num_rows) == (3, 1, 2)
    assert contents.events.filter(pa.compute.equal(contents.events["event_id"], "a"))[
        "shopper_id"
    ].to_pylist() == ["last"]


def test_undecodable_messages_are_separate_and_the_others_are_read():
    garbage, foreign = b"garbage", b"\0\0\0\0\x63rest"

    contents = decoded([garbage, *encoded(record("a")), foreign, None])

    assert contents.undecodable == (garbage, foreign)
    assert contents.events["event_id"].to_pylist() == ["a"]


def test_an_empty_topic_has_the_columns_of_its_event():
    assert decoded([]).events.column_names == list(record("a"))


def test_a_changed_field_of_one_event_is_found():
    contents = decoded(encoded(record("a"), record("b")))
    facts = pa.Table.from_pylist([record("a"), record("b", "eve")], contents.events.schema)

    found = kafka_vs_facts.compare("order_confirmed", contents, facts, frozenset())

    [difference] = found.differences
    assert difference.key == {"event_id": "b"}
    assert (difference.field, difference.left, difference.right) == ("shopper_id", "ana", "eve")


def test_a_changed_line_of_one_event_is_found():
    contents = decoded(encoded(record("a")))
    facts = pa.Table.from_pylist([record("a") | {"lines": []}], contents.events.schema)

    found = kafka_vs_facts.compare("order_confirmed", contents, facts, frozenset())

    assert [difference.field for difference in found.differences] == ["lines"]


def test_an_event_that_clickhouse_refused_is_explained_and_a_lost_one_is_not():
    contents = decoded(encoded(record("refused"), record("lost"), record("fine")))
    facts = contents.events.filter(pa.compute.equal(contents.events["event_id"], "fine"))
    letter = DeadLetterRecord(
        json.dumps({"event_id": "refused"}).encode(), "value out of range", "clickhouse"
    )

    refused = kafka_vs_facts.rejected_ids([letter], json.loads)
    found = kafka_vs_facts.compare("order_confirmed", contents, facts, refused)

    assert found.explained == 1
    assert [d.key for d in found.differences] == [{"event_id": "lost"}]


def test_an_event_from_the_future_is_explained_however_many_jobs_refused_it():
    [message] = encoded(record("future"))
    contents = decoded([message])
    letters = [DeadLetterRecord(message, "occurred_at is in the future", "time")] * 2
    refused = kafka_vs_facts.rejected_ids(letters, lambda value: decoded([value]).events.to_pylist()[0])

    found = kafka_vs_facts.compare("order_confirmed", contents, contents.events.slice(0, 0), refused)

    assert (found.explained, found.difference_count) == (1, 0)
    assert dead_letters.compare({"order_confirmed": []}, {"order_confirmed": letters}).verdict != "differ"


def test_a_topic_with_retention_may_have_fewer_events_than_the_facts():
    contents = decoded(encoded(record("new")))
    facts = pa.Table.from_pylist([record("old"), record("new")], contents.events.schema)

    forgetful = kafka_vs_facts.compare("order_confirmed", contents, facts, frozenset(), is_permanent=False)

    assert forgetful.verdict == "agree"
    assert kafka_vs_facts.compare("order_confirmed", contents, facts, frozenset()).verdict == "differ"


def test_an_undecodable_message_must_be_in_the_dead_letters():
    letters = {"order_placed": [DeadLetterRecord(b"bad", "first byte", "decode")] * 2}

    kept = dead_letters.compare({"order_placed": [b"bad"]}, letters)
    lost = dead_letters.compare({"order_placed": [b"bad", b"worse"]}, letters)

    assert kept.verdict == "agree"
    assert kept.notes == ("order_placed_dlq has 2 messages rejected at decode: first byte",)
    assert lost.difference_count == 1


def test_a_good_message_among_the_dead_letters_is_a_difference():
    letters = {"order_placed": [DeadLetterRecord(b"fine", "no reason", "decode")]}

    assert dead_letters.compare({"order_placed": []}, letters).verdict == "differ"


def test_clickhouse_types_become_those_of_the_events():
    table = pa.table(
        {
            "method": pa.array(["boleto"]).dictionary_encode(),
            "units": pa.array([1], pa.uint64()),
            "lines": pa.array([[{"n": 1}]], pa.list_(pa.struct([pa.field("n", pa.int32(), nullable=False)]))),
        }
    )

    assert plain(table).schema.types == [
        pa.string(),
        pa.int64(),
        pa.list_(pa.struct([("n", pa.int64())])),
    ]


@pytest.mark.parametrize("name", sorted(all_events()))
def test_every_event_of_the_platform_can_be_audited(name):
    assert "event_id" in decode_topic([], all_events()[name], Decoder(find_schema)).events.column_names
