"""The rankings of job `rankings` in a real Flink, over repeated and late orders."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.settings import Settings
from jobs.engine import statement_set, table_environment
from jobs.facts import job as facts
from jobs.rankings.logic import EVENTS, plan
from schemas.events import all_events
from schemas.topics import RANKINGS
from tests.integration.bounded import Events, Row, run_bounded, upserted
from tests.integration.test_metrics import NOON, cancelled, confirmed, line, placed

Rankings = Mapping[str, Mapping[Any, Row]]
RunRankings = Callable[[Events], Rankings]

EXACT_S = 1e-5
"""The tolerance of scores, which are Unix seconds: one part in 10¹¹ of a half-life of 7 days."""


@pytest.fixture(scope="module")
def run_rankings(jvm: None, tmp_path_factory: pytest.TempPathFactory) -> RunRankings:  # noqa: ARG001 (Flink's)
    """A function that computes the rankings: events by topic in order of arrival → ranking → key → row."""
    real = plan(Settings(), all_events())

    def run(events: Events) -> Rankings:
        changes = run_bounded(real, EVENTS, events, tmp_path_factory.mktemp("rankings"))
        return {name: upserted(changes[name], ("product_id",)) for name in RANKINGS}

    return run


def sold(*orders: Row) -> Events:
    """Orders that were confirmed, each twice."""
    return {"order_confirmed": [confirmed(order) for order in orders for _ in range(2)]}


def scores(tables: Mapping[str, Mapping[Any, Row]], table: str) -> dict[str, float]:
    return {product: row["score"] for (product,), row in tables[table].items()}


def test_an_order_that_was_never_confirmed_makes_nothing_popular(run_rankings: RunRankings) -> None:
    refused = placed("refused", [line(1, "pen", "ann", quantity=1000)])
    events = {
        "order_placed": [refused],
        "order_cancelled": [cancelled("refused", refused["lines"], confirmed=False)],
    }
    rankings = run_rankings({**events, **sold(placed("paid", [line(1, "cup", "ann")]))})

    assert set(scores(rankings, "popular_products")) == {"cup"}


def test_a_unit_sold_a_half_life_later_weighs_twice_as_much(run_rankings: RunRankings) -> None:
    orders = [
        placed("a", [line(1, "old", "ann", quantity=2)], NOON),
        placed("b", [line(1, "new", "ann", quantity=1)], NOON + timedelta(days=30)),
        placed("c", [line(1, "none", "ann", quantity=0)], NOON + timedelta(days=30)),
    ]
    tables = run_rankings(sold(*orders))

    popular, trending = scores(tables, "popular_products"), scores(tables, "trending_products")
    assert popular["new"] == pytest.approx(popular["old"], abs=EXACT_S)
    assert "none" not in popular
    assert popular["old"] == pytest.approx(NOON.timestamp() + 30 * 86_400, abs=EXACT_S)
    assert trending["old"] == pytest.approx(NOON.timestamp() + 7 * 86_400, abs=EXACT_S)


def test_rankings_are_right_after_the_years_in_which_a_double_or_an_int_of_seconds_overflows(
    run_rankings: RunRankings,
) -> None:
    late = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
    first, last = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
    moments = {"old": NOON, "first": first, "last": last, "late": late}
    orders = [placed(name, [line(1, name, "ann", quantity=4)], at) for name, at in moments.items()]
    again = placed("again", [line(1, "old", "ann", quantity=4)], late)
    tables = run_rankings(sold(again, *orders))

    for table, days in (("popular_products", 30), ("trending_products", 7)):
        expected = {name: at.timestamp() + 2 * days * 86_400 for name, at in moments.items()}
        expected["old"] = expected["late"]  # compared with it, the sales of 2018 have no weight
        assert scores(tables, table) == pytest.approx(expected, rel=0, abs=EXACT_S)


@pytest.mark.usefixtures("jvm")
def test_job_facts_reads_each_topic_once() -> None:
    real = facts.build(Settings())
    explained = statement_set(table_environment(real.config), real).explain()
    optimized = explained.partition("== Optimized Execution Plan ==")[2]

    assert optimized.count("TableSourceScan(") == len([*all_events(), "outbox_progress"])
    assert "where=[(CHAR_LENGTH(event_id) < 0)]" in optimized, "what brings order_placed's watermark"


@pytest.mark.usefixtures("jvm")
def test_the_plan_reads_each_topic_once_and_deduplicates_each_event_once() -> None:
    """The rankings share the views, and no sink needs state for the rows of its keys."""
    real = plan(Settings(), all_events())
    written = "\n".join(query.query for query in (*real.views, *real.outputs))
    explained = statement_set(table_environment(real.config), real).explain()
    optimized = explained.partition("== Optimized Execution Plan ==")[2]

    assert optimized.count("TableSourceScan(") == len(EVENTS)
    assert optimized.count("Deduplicate(") == written.count("ROW_NUMBER()")
    assert optimized.count("GroupAggregate(") == written.count("GROUP BY")
    assert "SinkMaterializer" not in optimized
