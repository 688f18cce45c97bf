import shutil
from pathlib import Path

import pytest

from clickhouse.facts import clickhouse_type, create_table, main
from common.errors import UserError
from schemas import events
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


def test_an_event_that_is_not_there_is_a_mistake_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["order_placed", "order_eaten"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "order_eaten" in said.err


def test_a_schema_without_a_line_in_the_topics_is_a_mistake_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(events.EVENTS_DIR, tmp_path / "events")
    (folder / "order_eaten.avsc").write_text("{}")
    monkeypatch.setattr(events, "EVENTS_DIR", folder)
    all_events.cache_clear()

    assert main(["order_eaten"]) == 2

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "schemas/topics.py disagree about order_eaten" in said
