"""Every event and every metric has its ClickHouse table, with exactly the columns that the jobs fill."""

import re

import pytest
import sqlglot

from clickhouse.facts import columns
from clickhouse.schema import FILE
from jobs.metrics.logic import EVENTS, QUERIES
from schemas.events import EventSchema, all_events
from schemas.metrics import METRICS, MetricOutput
from schemas.topics import EVENT_TOPICS, FOREVER

TABLE = re.compile(r"CREATE TABLE (?P<name>\w+)\n\((?P<body>.*?)\n\)\nENGINE = (?P<engine>.*?);\n", re.DOTALL)
TABLES = {match["name"]: match for match in TABLE.finditer(FILE.read_text(encoding="utf-8"))}


def table_columns(name: str) -> dict[str, str]:
    """Return column → type without white space, from schema.sql, without ALIAS columns."""
    body = TABLES[name]["body"]
    starts = [*re.finditer(r"^    `(\w+)` ", body, re.MULTILINE)]
    ends = [*(start.start() for start in starts[1:]), len(body)]
    return {
        start[1]: squeezed(re.split(r" (?:DEFAULT|COMMENT|CODEC)\b", body[start.end() : end])[0])
        for start, end in zip(starts, ends, strict=True)
        if " ALIAS " not in body[start.end() : end]
    }


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text).rstrip(",")


@pytest.mark.parametrize("event", all_events().values(), ids=lambda event: event.name)
def test_an_event_has_its_table_with_exactly_its_columns(event: EventSchema) -> None:
    expected = {name: squeezed(kind) for name, kind in columns(event).items()}

    assert list(table_columns(event.name).items()) == list(expected.items())
    assert f"ORDER BY ({event.key}, occurred_at, event_id)" in TABLES[event.name]["engine"]
    assert TABLES[event.name]["engine"].startswith("ReplacingMergeTree(ingested_at)")


@pytest.mark.parametrize(
    "metric", [metric for metric in METRICS if not metric.in_redis], ids=lambda metric: metric.table
)
def test_a_metric_fills_every_column_of_its_table(metric: MetricOutput) -> None:
    selected = sqlglot.parse_one(QUERIES.of(metric.table), dialect="spark").named_selects

    assert [*selected, "version"] == list(table_columns(metric.table))
    assert selected[: len(metric.key)] == list(metric.key)
    key = ", ".join(metric.key)
    assert re.search(rf"ORDER BY \(?{key}\)?\n", TABLES[metric.table]["engine"])


def test_every_column_says_what_it_is() -> None:
    silent = [
        f"{name}.{column}"
        for name in [*all_events(), *(metric.table for metric in METRICS if not metric.in_redis)]
        for column in table_columns(name)
        if not re.search(rf"`{column}`[^`]*COMMENT '", TABLES[name]["body"])
    ]

    assert silent == []


def test_what_metrics_reads_is_kept_for_ever_since_it_may_start_from_the_beginning() -> None:
    retention = {topic.name: topic.retention for topic in EVENT_TOPICS}

    assert {retention[name] for name in EVENTS} == {FOREVER}
