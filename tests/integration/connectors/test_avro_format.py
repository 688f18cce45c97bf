"""The format `souk-avro` in a real Flink: records from a real Kafka, schemas from a real registry."""

import io
import json
import signal
import struct
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import fastavro
import pytest
from py4j.protocol import Py4JJavaError

from jobs.sources import flink_type, reader_schema
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from tests.event_examples import examples

LINE = {
    "type": "record",
    "name": "line",
    "fields": [
        {"name": "product_id", "type": "string"},
        {"name": "quantity", "type": "int"},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
ORDER: dict[str, Any] = {
    "type": "record",
    "name": "order_placed",
    "namespace": "souk",
    "fields": [
        {"name": "order_id", "type": "string"},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["web", "app"]}},
        {"name": "gift", "type": "boolean"},
        {"name": "total_minor", "type": "long"},
        {"name": "weight", "type": "double"},
        {"name": "city", "type": ["null", "string"], "default": None},
        {"name": "lines", "type": {"type": "array", "items": LINE}},
        {"name": "labels", "type": {"type": "map", "values": "long"}},
    ],
}
LONG_QUANTITY = json.loads(
    json.dumps(ORDER).replace('"quantity", "type": "int"', '"quantity", "type": "long"')
)
COLUMNS = (
    "occurred_at TIMESTAMP(3) NOT NULL, order_id STRING NOT NULL, kind STRING, gift BOOLEAN, "
    "total_minor BIGINT, weight DOUBLE, city STRING, "
    "`lines` ARRAY<ROW<product_id STRING, quantity INT, note STRING>>, labels MAP<STRING, BIGINT>"
)
SELECT = """order_id, kind, gift, total_minor, weight, city, CAST(occurred_at AS STRING),
CAST(`lines` AS STRING), CAST(labels AS STRING)"""


def order(order_id: str = "o1", **changes: Any) -> dict[str, Any]:
    line = {"product_id": "p", "quantity": 2, "note": None}
    record = {
        "order_id": order_id, "occurred_at": 1_500_000_000_123, "kind": "app", "gift": True,
        "total_minor": 1 << 40, "weight": 0.25, "city": "São Paulo",
        "lines": [line, {**line, "note": "é"}], "labels": {"a": 1},
    }  # fmt: skip
    return {**record, **changes}


def encode(schema_id: int, schema: Any, record: Any) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(json.loads(json.dumps(schema))), record)
    return struct.pack(">bI", 0, schema_id) + body.getvalue()


@pytest.fixture
def register(registry: Any) -> Callable[[Any], int]:
    """Returns a function that registers a schema under a new subject and returns its id."""
    client = SchemaRegistry(registry.settings.registry)
    return lambda schema: client.register(f"s{uuid4().hex[:12]}", json.dumps(schema))


@pytest.fixture
def read(flink: Any, kafka: Any, registry: Any) -> Callable[..., list[Any]]:
    """A function that reads a topic to its end with a reader's schema and returns the rows in order."""

    def rows(
        topic: str,
        schema: Any,
        columns: str,
        select: str,
        dead_letters: str = "",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> list[Any]:
        options = {
            "connector": "kafka",
            "topic": topic,
            "properties.bootstrap.servers": kafka.bootstrap,
            "scan.startup.mode": "earliest-offset",
            "scan.bounded.mode": "latest-offset",
            "value.format": "souk-avro",
            "value.souk-avro.registry": registry.settings.registry,
            "value.souk-avro.schema": json.dumps(schema).replace("'", "''"),
            **more,
        }
        if dead_letters:
            options["value.souk-avro.dlq.bootstrap"] = kafka.bootstrap
            options["value.souk-avro.dlq.topic"] = dead_letters
        result = flink.run(
            f"CREATE TABLE source ({columns}) WITH ("
            + ", ".join(f"'{name}' = '{value}'" for name, value in options.items())
            + ")",
            f"SELECT {select} FROM source",
        )
        with result.collect() as found:
            return [list(row) for row in found]

    return rows


def test_every_type_is_decoded(kafka: Any, register: Any, read: Any) -> None:
    topic = kafka.topic()
    schema_id = register(ORDER)
    kafka.send(
        topic, [encode(schema_id, ORDER, order()), None, encode(schema_id, ORDER, order("o2", city=None))]
    )

    first, second = read(topic, ORDER, COLUMNS, SELECT)

    assert first == [
        "o1", "app", True, 1 << 40, 0.25, "São Paulo", "2017-07-14 02:40:00.123",
        "[(p, 2, NULL), (p, 2, é)]", "{a=1}",
    ]  # fmt: skip
    assert (second[0], second[5]) == ("o2", None)


def test_a_writer_schema_with_other_fields_is_resolved_by_avros_rules(
    kafka: Any, register: Any, read: Any
) -> None:
    writer = {
        "type": "record",
        "name": "order_placed",
        "namespace": "souk",
        "fields": [
            {"name": "removed", "type": {"type": "array", "items": LINE}},
            {"name": "total", "type": "int"},
            {"name": "weight", "type": "float"},
            {"name": "order_id", "type": "string"},
            {"name": "city", "type": "string"},
        ],
    }
    reader = {
        "type": "record",
        "name": "order_placed",
        "namespace": "souk",
        "fields": [
            {"name": "order_id", "type": "string"},
            {"name": "not_in_the_table", "type": "string", "default": ""},
            {"name": "total_minor", "aliases": ["total"], "type": "long"},
            {"name": "weight", "type": "double"},
            {"name": "city", "type": ["null", "string"], "default": None},
            {"name": "added", "type": "string", "default": "new"},
            {"name": "lines", "type": {"type": "array", "items": LINE}, "default": []},
            {"name": "zip", "type": ["null", "int"], "default": None},
        ],
    }
    topic = kafka.topic()
    record = {
        "removed": [{"product_id": "p", "quantity": 1, "note": "x"}],
        "total": 7, "weight": 0.5, "order_id": "o1", "city": "Recife",
    }  # fmt: skip
    kafka.send(topic, [encode(register(writer), writer, record)])

    rows = read(
        topic,
        reader,
        "zip INT, order_id STRING, total_minor BIGINT, weight DOUBLE, city STRING, added STRING, "
        "`lines` ARRAY<ROW<quantity INT>>",
        "zip, order_id, total_minor, weight, city, added, CARDINALITY(`lines`)",
    )

    assert rows == [[None, "o1", 7, 0.5, "Recife", "new", 0]]


def test_a_confirmation_from_before_its_lines_has_null_and_no_lines(
    kafka: Any, register: Any, read: Any
) -> None:
    event = all_events()["order_confirmed"]
    writer = {**event.schema, "fields": event.fields[:4]}
    topic, earlier, today = kafka.topic(), examples(event)["earlier"], examples(event)["typical"]
    kafka.send(
        topic,
        [encode(register(writer), writer, earlier), encode(register(event.schema), event.schema, today)],
    )
    columns = ", ".join(f"`{field['name']}` {flink_type(field['type'])}" for field in event.fields)

    before, since = read(
        topic,
        json.loads(reader_schema(event)),
        columns,
        "shopper_id, CAST(placed_at AS STRING), currency, CARDINALITY(`lines`), `lines`[1].unit_price_minor",
    )

    assert before == [earlier["shopper_id"], None, None, 0, None]
    assert since[2:] == ["BRL", 2, 5890]
    assert since[1] is not None


def test_records_that_can_not_be_decoded_become_dead_letters_and_all_others_are_read(
    kafka: Any, register: Any, read: Any
) -> None:
    schema_id = register(ORDER)
    foreign = {"type": "record", "name": "other", "fields": [{"name": "x", "type": "string"}]}
    good = encode(schema_id, ORDER, order())
    bad: dict[bytes, str] = {
        b"": "wire format",
        b"\x00\x00": "wire format",
        b'{"json": true}': "wire format",
        b"\x01" + good[1:]: "wire format",
        b"\x00\x7f\xff\xff\xff" + good[5:]: "unknown schema id 2147483647",
        good[:-4]: f"schema id {schema_id}",
        good + b"!": "left over",
        good[:5] + b"\xfe\xff\xff\xff\x0f" + good[9:]: "a length of 2147483647",
        encode(register(foreign), foreign, {"x": "y"}): "can't decode",
    }
    topic, dead_letters = kafka.topic(), kafka.topic()
    kafka.send(topic, [good, *bad, encode(schema_id, ORDER, order("o2"))])

    rows = read(topic, ORDER, COLUMNS, "order_id", dead_letters)

    letters = kafka.records(dead_letters, len(bad))
    assert rows == [["o1"], ["o2"]]
    assert [letter.value() or b"" for letter in letters] == list(bad)
    for letter, reason in zip(letters, bad.values(), strict=True):
        headers = dict(letter.headers())
        assert reason in headers["reason"].decode()
        assert headers["stage"] == b"decode"
        assert headers["content_type"] == b"application/octet-stream"


def test_an_event_from_the_future_becomes_a_dead_letter(kafka: Any, register: Any, read: Any) -> None:
    schema_id, hour = register(ORDER), 3_600_000
    now = int(time.time() * 1000)
    tomorrow, ever = encode(schema_id, ORDER, order(occurred_at=now + 25 * hour)), 2**63 - 1
    bad = [tomorrow, encode(schema_id, ORDER, order(occurred_at=ever))]
    good = [order("o1", occurred_at=now + 23 * hour), order("o2", occurred_at=-ever)]
    topic, dead_letters = kafka.topic(), kafka.topic()
    kafka.send(topic, [*bad, *(encode(schema_id, ORDER, event) for event in good)])

    rows = read(
        topic, ORDER, COLUMNS, "order_id", dead_letters, {"value.souk-avro.event-time": "occurred_at"}
    )

    letters = kafka.records(dead_letters, len(bad))
    assert rows == [["o1"], ["o2"]]
    assert [letter.value() for letter in letters] == bad
    assert dict(letters[0].headers())["stage"] == b"time"
    reason = dict(letters[0].headers())["reason"].decode()
    assert reason.startswith("occurred_at is in the future: ")
    assert "more than PT24H ahead of now" in reason


def test_an_event_with_a_negative_amount_becomes_a_dead_letter(kafka: Any, register: Any, read: Any) -> None:
    schema_id = register(ORDER)
    line = {"product_id": "p", "quantity": -1, "note": None}
    good = [order("o1", total_minor=0), order("o2", total_minor=1)]
    bad = [order("o3", total_minor=-500), order("o4", lines=[{**line, "quantity": 1}, line])]
    topic, dead_letters = kafka.topic(), kafka.topic()
    kafka.send(topic, [encode(schema_id, ORDER, event) for event in (*bad, *good)])
    columns = COLUMNS.replace("quantity INT", "quantity BIGINT")

    rows = read(
        topic, LONG_QUANTITY, columns, "order_id", dead_letters,
        {"value.souk-avro.non-negative": "total_minor;lines.quantity"},
    )  # fmt: skip

    letters = [dict(letter.headers()) for letter in kafka.records(dead_letters, len(bad))]
    assert rows == [["o1"], ["o2"]]
    assert [letter["stage"] for letter in letters] == [b"value", b"value"]
    assert [letter["reason"] for letter in letters] == [
        b"total_minor is negative: -500", b"lines.quantity is negative: -1",
    ]  # fmt: skip


def test_the_format_retries_until_the_registry_answers(
    kafka: Any, registry: Any, register: Any, redis: Any, flink: Any, wait_until: Any
) -> None:
    topic, dead_letters, key = kafka.topic(), kafka.topic(), uuid4().hex
    columns = COLUMNS.replace("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)")
    kafka.send(topic, [encode(register(ORDER), ORDER, order())])
    registry.process.send_signal(signal.SIGSTOP)
    running = flink.run(
        f"""CREATE TABLE source ({columns}) WITH ('connector' = 'kafka', 'topic' = '{topic}',
        'properties.bootstrap.servers' = '{kafka.bootstrap}', 'scan.startup.mode' = 'earliest-offset',
        'scan.bounded.mode' = 'latest-offset', 'format' = 'souk-avro',
        'souk-avro.registry' = '{registry.settings.registry}', 'souk-avro.schema' = '{json.dumps(ORDER)}',
        'souk-avro.dlq.bootstrap' = '{kafka.bootstrap}', 'souk-avro.dlq.topic' = '{dead_letters}')""",
        "CREATE TABLE totals (order_id STRING, total BIGINT, PRIMARY KEY (order_id) NOT ENFORCED) "
        + redis.sink({"mode": "hash", "key": key}),
        "INSERT INTO totals SELECT order_id, SUM(total_minor) FROM source GROUP BY order_id",
    )
    job = running.get_job_client()
    wait_until(lambda: "RUNNING" in str(job.get_job_status().result()))
    registry.process.send_signal(signal.SIGCONT)
    running.wait()
    assert redis.client.hgetall(key) == {"o1": str(1 << 40)}
    assert kafka.count(dead_letters) == 0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("nothing STRING", "has no field nothing"),
        ("total_minor STRING", 'order_placed.total_minor is "long" in the schema and STRING in the table'),
        ("city STRING NOT NULL", "order_placed.city"),
        ("`lines` ARRAY<ROW<quantity BIGINT>>", r"order_placed.lines\[\].quantity"),
    ],
)
def test_the_planner_rejects_columns_that_do_not_agree_with_the_schema(
    read: Any, columns: str, message: str
) -> None:
    with pytest.raises(Py4JJavaError, match=message):
        read("never_read", ORDER, columns, "*")
