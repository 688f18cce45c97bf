"""The comparison of a new metric accepts a correct table, and finds a wrong value."""

import pytest

from audit.connect import stores
from audit.run import compare_once
from clickhouse.client import connect
from clickhouse.migrate import migrate
from common.settings import Settings
from tests.integration.metric_tables import writable

FACTS = """
INSERT INTO review_submitted (event_id, occurred_at, score)
SELECT toString(number), '2018-03-01 12:00:30', 5 FROM numbers(2)
"""


@pytest.mark.parametrize(("reviews", "verdict"), [(2, "agree"), (3, "differ")])
def test_a_wrong_count_is_noticed(clickhouse_server: Settings, reviews: int, verdict: str) -> None:
    settings = clickhouse_server.model_copy(update={"clickhouse_database": f"reviews_{verdict}"})
    migrate(settings)
    with connect(settings, admin=True) as client:
        client.command(FACTS)
        client.command(
            f"INSERT INTO {writable(settings, 'reviews_minute')} "
            f"SELECT '2018-03-01 12:00:00', 'no fact', 5 FROM numbers({reviews - 2})"
        )

    with stores(settings, None, lambda *_: None) as opened:
        (found,) = compare_once("facts_vs_reviews", opened)

    assert found.verdict == verdict
