"""Every event has its ClickHouse table, with exactly the columns that job `facts` fills."""

import re

import pytest

from clickhouse.facts import columns
from clickhouse.metrics.definition import MetricDefinition, read_definitions
from clickhouse.schema import FILE
from jobs.facts.logic import METRIC_EVENTS
from jobs.rankings.logic import EVENTS as READ_BY_RANKINGS
from schemas.events import EventSchema, all_events
from schemas.topics import EVENT_TOPICS, FOREVER

TABLE = re.compile(r"CREATE TABLE (?P<name>\w+)\n\((?P<body>.*?)\n\)\nENGINE = (?P<engine>.*?);\n", re.DOTALL)
TABLES = {match["name"]: match for match in TABLE.finditer(FILE.read_text(encoding="utf-8"))}


BROWSING = {
    *("product_viewed", "cart_changed", "search_performed"),
    *("recommendation_shown", "recommendation_clicked"),
}
"""Kafka keeps these events for a month. If ClickHouse is lost, the older ones are lost with their facts."""


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


def test_every_column_says_what_it_is() -> None:
    silent = [
        f"{name}.{column}"
        for name in all_events()
        for column in table_columns(name)
        if not re.search(rf"`{column}`[^`]*COMMENT '", TABLES[name]["body"])
    ]

    assert silent == []


@pytest.mark.parametrize(
    "metric", [each for each in read_definitions().values() if each.table_sql], ids=lambda metric: metric.name
)
def test_every_column_of_a_metric_says_what_it_is(metric: MetricDefinition) -> None:
    body = metric.table_sql.partition("\n(\n")[2].partition("\n)\n")[0]

    columns = [line for line in body.splitlines() if not line.startswith("    INDEX ")]
    assert [line for line in columns if " COMMENT '" not in line] == []


def test_what_feeds_figures_and_rankings_is_kept_for_ever() -> None:
    retention = {topic.name: topic.retention for topic in EVENT_TOPICS}

    assert {retention[name] for name in (*METRIC_EVENTS, *READ_BY_RANKINGS)} == {FOREVER}


def test_only_what_visitors_do_feeds_figures_and_is_not_kept_for_ever() -> None:
    feeds = {fact for metric in read_definitions().values() for fact in metric.sources}

    assert feeds - METRIC_EVENTS == BROWSING
