"""The rankings of job `rankings` in a real Flink, over repeated and late orders.

One job reads the orders of all tests, because a job costs 8 s of CPU. Products do not influence each other,
so each test has its own.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from common.settings import Settings
from jobs.engine import statement_set, table_environment
from jobs.facts import logic as facts
from jobs.rankings.logic import EVENTS, plan
from schemas.events import all_events
from schemas.topics import RANKINGS
from tests.integration.bounded import Events, run_bounded, upserted
from tests.integration.test_metrics import NOON, cancelled, confirmed, line, placed

Scores = Mapping[str, Mapping[str, float]]

EXACT_S = 1e-5
"""The tolerance of scores, which are Unix seconds: one part in 10¹¹ of a half-life of 7 days."""

LAST_INT = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
LATE = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
MOMENTS = {"past": NOON, "last_int": LAST_INT, "overflow": LAST_INT + timedelta(seconds=1), "late": LATE}
"""Product → when it was sold: around the second in which an int of seconds overflows, and after it."""

REFUSED = placed("refused", [line(1, "pen", "ann", quantity=1000)])
ORDERS = (
    placed("paid", [line(1, "cup", "ann")]),
    placed("a", [line(1, "old", "ann", quantity=2)], NOON),
    placed("b", [line(1, "new", "ann", quantity=1)], NOON + timedelta(days=30)),
    placed("c", [line(1, "none", "ann", quantity=0)], NOON + timedelta(days=30)),
    placed("again", [line(1, "past", "ann", quantity=4)], LATE),
    *(placed(name, [line(1, name, "ann", quantity=4)], at) for name, at in MOMENTS.items()),
)


@pytest.fixture(scope="module")
def scores(jvm: None, tmp_path_factory: pytest.TempPathFactory) -> Scores:  # noqa: ARG001 (Flink's)
    """Ranking → product → score, of `ORDERS`, each confirmed twice, and of an order that was refused."""
    events: Events = {
        "order_placed": [REFUSED],
        "order_cancelled": [cancelled("refused", REFUSED["lines"], confirmed=False)],
        "order_confirmed": [confirmed(order) for order in ORDERS for _ in range(2)],
    }
    real = plan(Settings())
    changes = run_bounded(real, EVENTS, events, tmp_path_factory.mktemp("rankings"))
    return {
        name: {product: row["score"] for (product,), row in upserted(changes[name], ("product_id",)).items()}
        for name in RANKINGS
    }


def test_an_order_that_was_never_confirmed_makes_nothing_popular(scores: Scores) -> None:
    for ranking in scores.values():
        assert "pen" not in ranking
        assert "cup" in ranking


def test_a_unit_sold_a_half_life_later_weighs_twice_as_much(scores: Scores) -> None:
    popular, trending = scores["popular_products"], scores["trending_products"]

    assert popular["new"] == pytest.approx(popular["old"], abs=EXACT_S)
    assert "none" not in popular
    assert popular["old"] == pytest.approx(NOON.timestamp() + 30 * 86_400, abs=EXACT_S)
    assert trending["old"] == pytest.approx(NOON.timestamp() + 7 * 86_400, abs=EXACT_S)


def test_rankings_are_right_after_the_years_in_which_a_double_or_an_int_of_seconds_overflows(
    scores: Scores,
) -> None:
    for table, days in (("popular_products", 30), ("trending_products", 7)):
        expected = {name: at.timestamp() + 2 * days * 86_400 for name, at in MOMENTS.items()}
        expected["past"] = expected["late"]  # compared with it, the sales of 2018 have no weight
        found = {name: scores[table][name] for name in MOMENTS}
        assert found == pytest.approx(expected, rel=0, abs=EXACT_S)


@pytest.mark.nightly
@pytest.mark.usefixtures("jvm")
def test_job_facts_reads_each_topic_once() -> None:
    real = facts.plan(Settings())
    explained = statement_set(table_environment(real.config), real).explain()
    optimized = explained.partition("== Optimized Execution Plan ==")[2]

    assert optimized.count("TableSourceScan(") == len([*all_events(), "outbox_progress"])
    assert "where=[(CHAR_LENGTH(event_id) < 0)]" in optimized, "what brings order_placed's watermark"


@pytest.mark.usefixtures("jvm")
def test_the_plan_reads_each_topic_once_and_deduplicates_each_event_once() -> None:
    """The rankings share the views, and no sink needs state for the rows of its keys."""
    real = plan(Settings())
    written = "\n".join(query.query for query in (*real.views, *real.outputs))
    explained = statement_set(table_environment(real.config), real).explain()
    optimized = explained.partition("== Optimized Execution Plan ==")[2]

    assert optimized.count("TableSourceScan(") == len(EVENTS)
    assert optimized.count("Deduplicate(") == written.count("ROW_NUMBER()")
    assert optimized.count("GroupAggregate(") == written.count("GROUP BY")
    assert "SinkMaterializer" not in optimized
