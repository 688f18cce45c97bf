"""A seller's own SQL sees the rows of that seller only, and nothing tells about other rows."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clickhouse.analytics.catalogue import read_views
from clickhouse.client import connect
from clickhouse.databases import analytics_database
from clickhouse.seller_sql import frames
from common.settings import Settings
from tests.integration.analytics_shop import ODD, SELLERS
from tests.integration.clickhouse.seller_sql import SellerClient, foreign_sellers

OF_SELLERS = [name for name, view in read_views().items() if view.is_of_sellers]


@pytest.mark.parametrize("seller_id", ["seller-ana", ODD, "nobody", "seller-ana' OR '1'='1"])
def test_a_seller_sees_all_own_rows_of_every_view_and_no_others(
    filled: Settings, ana: SellerClient, seller_id: str
) -> None:
    database = analytics_database(filled.clickhouse_database)
    settings = {"output_format_json_quote_decimals": 1}
    client = ana.of(seller_id)
    with connect(filled, database=database) as analyst:
        for view in OF_SELLERS:
            query = f"SELECT * FROM {view} WHERE seller_id = {{seller:String}} ORDER BY ALL"
            whole = json.loads(analyst.raw_query(query, {"seller": seller_id}, settings, fmt="JSONCompact"))
            own = json.loads(client.send(f"SELECT * FROM {view} ORDER BY ALL").text)
            assert own["meta"] == whole["meta"]
            assert own["data"] == whole["data"]
            assert bool(own["data"]) == (seller_id in SELLERS)


SHAPES = [
    "SELECT * FROM {view} AS x",
    "SELECT * FROM {database}.{view}",
    "SELECT * FROM `{database}`.`{view}`",
    "FROM {view} SELECT *",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM {view}))",
    "WITH x AS (SELECT * FROM {view}), y AS (SELECT * FROM x) SELECT * FROM y",
    "WITH {view} AS (SELECT * FROM {database}.{view}) SELECT * FROM {view}",
    "SELECT * FROM {view} UNION ALL SELECT * FROM {view}",
    "SELECT * FROM {view} EXCEPT SELECT * FROM {view} WHERE 0",
    "SELECT * FROM {view} INTERSECT SELECT * FROM {view}",
    "SELECT a.*, b.* FROM {view} AS a CROSS JOIN (SELECT * FROM {view} LIMIT 3) AS b LIMIT 100",
    "SELECT b.* FROM numbers(3) AS n LEFT JOIN {view} AS b ON 1 LIMIT 100",
    "SELECT * FROM numbers(3) AS n RIGHT JOIN {view} AS b ON n.number = 9",
    "SELECT * FROM numbers(1) AS n FULL JOIN {view} AS b ON toString(n.number) = b.seller_id",
    "SELECT groupArray(toString(tuple(*))) FROM {view}",
    "SELECT (SELECT groupArray(toString(tuple(*))) FROM {view})",
    "SELECT * FROM {view} WHERE seller_id IN (SELECT seller_id FROM {view})",
    "SELECT number FROM numbers(9) WHERE 'seller-bob' IN (SELECT seller_id FROM {view})",
    "SELECT *, count() OVER () FROM {view}",
    "SELECT DISTINCT seller_id FROM {view}",
    "SELECT seller_id, count() FROM {view} GROUP BY ROLLUP(seller_id)",
    "SELECT * FROM {view} WHERE seller_id = 'seller-bob' OR 1",
    "SELECT * FROM {view} WHERE seller_id != 'seller-ana'",
    "SELECT * FROM {view} AS q_sales",
    "SELECT /* */ * FROM /* x */ {view} -- comment",
    "SELECT * FROM {view} ORDER BY seller_id DESC LIMIT 1 BY seller_id",
    "SELECT COLUMNS('.*') FROM {view}",
    "SELECT * REPLACE (1 AS seller_id) FROM {view}",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r, {view}",
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("view", ["order_lines", "recommendations"])
def test_no_shape_of_a_query_shows_foreign_rows(ana: SellerClient, view: str, shape: str) -> None:
    answer = ana.send(shape.format(view=view, database=ana.database))
    assert not foreign_sellers(answer.text.replace(shape, ""), "seller-ana"), answer.text
    assert not answer.code or "COLUMNS" in shape, answer.text


def test_a_parameter_is_a_value(ana: SellerClient) -> None:
    query = "SELECT count() FROM sales WHERE seller_id = {who:String}"
    assert ana.rows(query, {"who": "seller-bob"}) == [[0]]
    assert ana.rows(query, {"who": "' OR 1 = 1 --"}) == [[0]]
    assert ana.rows(query, {"who": "seller-ana"})[0][0] > 0


def test_queries_of_several_sellers_at_once_are_not_mixed_up(ana: SellerClient) -> None:
    def ask(seller_id: str) -> set[Any]:
        found = set()
        for _ in range(15):
            query = "SELECT DISTINCT seller_id, {n:String} FROM order_lines"
            answer = ana.of(seller_id).send(query, {"n": seller_id.replace("\\", "\\\\")})
            if not answer.code:
                found |= {tuple(row) for row in answer.rows}
        return found

    sellers = [*SELLERS[:3], *SELLERS[:3]]
    with ThreadPoolExecutor(len(sellers)) as threads:
        for seller_id, found in zip(sellers, threads.map(ask, sellers), strict=True):
            assert found == {(seller_id, seller_id)}


PERIODS = [
    ("SELECT * FROM sales WHERE placed_at >= '2026-02-01' AND placed_at < '2026-03-01'", True),
    ("SELECT * FROM sales AS s WHERE s.placed_at BETWEEN '2026-02-01' AND toDate('2026-02-28')", True),
    ("SELECT * FROM sales WHERE '2026-02-01' <= placed_at ORDER BY ALL LIMIT 9", True),
    ("SELECT * FROM sales WHERE placed_at >= {since:DateTime} GROUP BY ALL HAVING 1", False),
    ("SELECT *, count() OVER () FROM sales QUALIFY placed_at >= '2026-02-01'", False),
    ("SELECT * FROM sales WHERE placed_at >= '2026-02-01' OR kind = 'sold'", False),
    ("SELECT count() FROM sales WHERE placed_at >= (SELECT max(placed_at) FROM order_lines)", False),
    ("SELECT toDate('2026-01-01') AS placed_at FROM sales WHERE placed_at < '2026-02-01'", False),
    (
        "SELECT a.* FROM sales AS a LEFT JOIN sales AS b USING (order_id) WHERE b.placed_at > '2026-02-01'",
        False,
    ),
    ("SELECT count(), sum(gross) FROM sales WHERE placed_at > now() - INTERVAL 1 DAY", True),
    (
        "WITH CAST(tuple(now()), 'Tuple(placed_at DateTime)') AS t "
        "SELECT count() FROM sales WHERE t.placed_at >= '2026-02-01'",
        False,
    ),
    ("WITH (x, y) -> 1 AS greater SELECT count() FROM sales WHERE placed_at > '2030-01-01'", False),
    (
        "WITH x -> toDateTime(0) AS toDate SELECT count() FROM sales WHERE placed_at > toDate('2030-01-01')",
        False,
    ),
    ("SELECT count() FROM sales AS s NATURAL JOIN order_lines AS o", False),
]


@pytest.mark.parametrize(("query", "is_limited"), PERIODS)
def test_an_answer_is_the_same_whatever_is_left_out_of_the_reading(
    filled: Settings, ana: SellerClient, query: str, is_limited: bool
) -> None:
    """Only the columns and, where it can be told, the period that a query needs are read."""
    params = {"since": "2026-02-01 00:00:00"}
    database = analytics_database(filled.clickhouse_database)
    scoped = re.sub(
        r"\b(sales|order_lines)\b(?=[^.]|$)(?! *\()",
        r"(SELECT * FROM \1 WHERE seller_id = 'seller-ana')",
        query,
    )
    with connect(filled, database=database) as analyst:
        settings = {"output_format_json_quote_decimals": 1}
        expected = json.loads(analyst.raw_query(scoped, params, settings, fmt="JSONCompact"))["data"]
    assert sorted(map(json.dumps, ana.rows(query, params))) == sorted(map(json.dumps, expected))
    tree = ana.call(_reading(ana, query, params))
    assert bool(tree["sales"]["bounds"]) == is_limited


async def _reading(client: SellerClient, query: str, params: dict[str, str]) -> Any:
    async with client.queries.pool.process_of(client.seller_id) as process:
        await process.send(frames.READ, frames.to_json({"text": query, "params": params}))
        return json.loads(await process.receive(frames.READINGS))


def test_a_query_reads_the_columns_that_it_names(ana: SellerClient) -> None:
    assert ana.call(_reading(ana, "SELECT sum(revenue) FROM sales", {}))["sales"]["columns"] == ["revenue"]
    found = ana.call(_reading(ana, "SELECT count(*), max(r.score) FROM reviews AS r", {}))
    assert found["reviews"]["columns"] == ["score"]
    assert "sales" not in found
    every = ana.call(_reading(ana, "SELECT * EXCEPT (kind) FROM sales", {}))["sales"]["columns"]
    assert every == [column.name for column in read_views()["sales"].columns]
