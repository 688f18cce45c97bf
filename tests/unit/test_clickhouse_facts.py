import pytest

from clickhouse.facts import clickhouse_type, create_table
from common.errors import UserError
from schemas.events import all_events


def test_avro_types_become_clickhouse_types() -> None:
    record = {"type": "record", "name": "r", "fields": [{"name": "n", "type": ["null", "double"]}]}
    enum = {"type": "enum", "name": "e", "symbols": ["a"]}

    assert clickhouse_type("string") == "String"
    assert clickhouse_type("string", "currency") == "LowCardinality(String)"
    assert clickhouse_type(["null", "int"]) == "Nullable(Int32)"
    assert clickhouse_type(enum) == "LowCardinality(String)"
    assert clickhouse_type(["null", enum]) == "LowCardinality(Nullable(String))"
    assert clickhouse_type({"type": "array", "items": record}) == "Array(Tuple(n Nullable(Float64)))"
    assert clickhouse_type({"type": "map", "values": "string"}) == "Map(String, String)"


def test_an_avro_type_that_events_do_not_use_is_refused() -> None:
    with pytest.raises(UserError, match="bytes"):
        clickhouse_type("bytes")


def test_a_fact_table_is_ordered_by_the_events_key() -> None:
    assert "ORDER BY (order_id, occurred_at, event_id)" in create_table(all_events()["payment_captured"])


def test_every_column_that_the_schema_describes_has_a_comment() -> None:
    for event in all_events().values():
        statement = create_table(event)
        assert statement.count("COMMENT") == sum("doc" in field for field in event.fields) + 2
