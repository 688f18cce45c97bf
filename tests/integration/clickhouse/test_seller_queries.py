"""A seller's own SQL sees the rows of that seller only, and nothing tells about other rows."""

import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import httpx
import pytest

from clickhouse.analytics.catalogue import read_views
from clickhouse.client import connect
from clickhouse.databases import analytics_database
from clickhouse.http_server.seller_scope import SOURCE_FILTERS, table_filters
from clickhouse.literals import quoted
from common.settings import Settings
from tests.integration.analytics_shop import ODD, SELLERS
from tests.integration.clickhouse.seller_sql import SellerClient, foreign_sellers, seller_client

OF_SELLERS = [name for name, view in read_views().items() if view.is_of_sellers]


@pytest.mark.parametrize("seller_id", ["seller-ana", ODD, "nobody", "seller-ana' OR '1'='1"])
@pytest.mark.parametrize("view", OF_SELLERS)
def test_a_seller_sees_all_own_rows_of_a_view_and_no_others(
    filled: Settings, view: str, seller_id: str
) -> None:
    database = analytics_database(filled.clickhouse_database)
    query = f"SELECT * FROM {view} WHERE seller_id = {{seller:String}} ORDER BY ALL"
    settings = {"output_format_json_quote_decimals": 1}
    with connect(filled, database=database) as analyst:
        parameters = {"seller": seller_id}
        whole = analyst.raw_query(query, parameters, settings, fmt="JSONCompact")
    with seller_client(filled, seller_id) as client:
        own = client.rows(f"SELECT * FROM {view} ORDER BY ALL")
    assert own == json.loads(whole)["data"]
    assert bool(own) == (seller_id in SELLERS)


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
    response = ana.send(shape.format(view=view, database=ana.database))
    assert not foreign_sellers(response.text.replace(shape, ""), "seller-ana"), response.text
    assert response.status_code == 200 or "COLUMNS" in shape, response.text


PROBES = [
    "toUInt32(if({a}seller_id = 'seller-ana', '1', toString({a}seller_id))) = 1",
    "throwIf(toString(tuple({columns})) NOT LIKE '%seller-ana%') = 0",
]
PLACES = [
    "SELECT count() FROM {view} WHERE {probe}",
    "SELECT count() FROM {view} PREWHERE {probe}",
    "SELECT count() FROM {view} WHERE 1 = 1 AND {probe} AND seller_id != ''",
    "SELECT count() FROM {view} WHERE seller_id = 'x' OR {probe}",
    "SELECT count() FROM (SELECT * FROM {view}) WHERE {probe}",
    "SELECT {probe} FROM {view} LIMIT 1",
    "SELECT countIf({probe}) FROM {view}",
    "SELECT DISTINCT {probe} FROM {view}",
    "SELECT 1 FROM {view} GROUP BY {probe}",
    "SELECT seller_id FROM {view} ORDER BY {probe} LIMIT 1",
    "SELECT seller_id FROM {view} LIMIT 1 BY {probe}",
    "SELECT sum(1) OVER (PARTITION BY {probe}) FROM {view}",
    "SELECT count() FROM {view} AS a JOIN {view} AS b ON a.seller_id = b.seller_id WHERE {probe_of_a}",
    "SELECT count() FROM {view} AS b LEFT JOIN {view} AS a ON a.seller_id = b.seller_id WHERE {probe_of_a}",
    "SELECT count() FROM {view} AS a JOIN {view} AS b ON a.seller_id = b.seller_id AND {probe_of_a}",
    "SELECT count() FROM {view} WHERE seller_id IN (SELECT seller_id FROM {view} WHERE {probe})",
    "SELECT count() FROM {view} HAVING countIf({probe}) > 0",
]


PROBED = [
    pytest.param(view, place, marks=[] if (row + column) % 3 == 0 else pytest.mark.nightly)
    for row, view in enumerate(OF_SELLERS)
    for column, place in enumerate(PLACES)
]
"""Every view with every place; without `--nightly` a third of them, in which each occurs several times."""


@pytest.mark.parametrize(("view", "place"), PROBED)
def test_an_expression_never_sees_a_foreign_row(ana: SellerClient, view: str, place: str) -> None:
    """If one did, an error would tell about other sellers."""
    columns = [column.name for column in read_views()[view].columns]
    for probe in PROBES:
        given = {"probe": probe, "probe_of_a": probe}
        for name, prefix in (("probe", ""), ("probe_of_a", "a.")):
            names = ", ".join(prefix + column for column in columns)
            given[name] = given[name].format(a=prefix, columns=names)
        query = place.format(view=view, **given)
        response = ana.send(query)
        refused = response.headers.get("x-clickhouse-exception-code")
        assert refused in (None, "182"), f"{query}\n{response.text}"  # 182: PREWHERE is not for a view


@pytest.mark.parametrize("view", OF_SELLERS)
def test_an_expression_over_one_column_never_sees_a_foreign_value(
    filled: Settings, ana: SellerClient, view: str
) -> None:
    """The engine moves an expression over columns of one table below joins and ARRAY JOIN."""
    database = analytics_database(filled.clickhouse_database)
    probed = 0
    with connect(filled, database=database) as analyst:
        for column in read_views()[view].columns:
            values = f"SELECT DISTINCT ifNull(toString({column.name}), '') FROM {view}"
            own = {row[0] for row in ana.rows(values)}
            every = {row[0] for row in analyst.query(values).result_rows}
            foreign = ", ".join(map(quoted, sorted(every - own)[:40]))
            if not foreign:
                continue
            probe = f"throwIf(has([{foreign}], ifNull(toString({column.name}), '')))"
            for place in ("SELECT count() FROM {} WHERE {} = 0", "SELECT sum({1}) FROM {0}"):
                response = ana.send(place.format(view, probe))
                assert response.status_code == 200, f"{column.name}\n{response.text}"
            probed += 1
    assert probed > 0


def test_a_text_that_an_analyst_may_run_is_checked_again_for_a_seller(
    ana: SellerClient,
) -> None:
    query = "SELECT count() FROM payments"
    given = {"database": ana.database, "default_format": "JSONCompact"}
    for _ in range(2):
        analyst = ana.http.post("/", content=query, params=given, headers={"X-ClickHouse-User": "reader"})
        assert analyst.status_code == 200, analyst.text
    assert "whole marketplace" in ana.refusal(query)


def test_a_parameter_is_a_value(ana: SellerClient) -> None:
    query = "SELECT count() FROM sales WHERE seller_id = {who:String}"
    assert ana.rows(query, param_who="seller-bob") == [[0]]
    assert ana.rows(query, param_who="' OR 1 = 1 --") == [[0]]
    assert ana.rows(query, param_who="seller-ana")[0][0] > 0


def test_queries_of_several_sellers_at_once_are_not_mixed_up(filled: Settings) -> None:
    def ask(seller_id: str) -> set[Any]:
        with seller_client(filled, seller_id) as client:
            found = set()
            for _ in range(15):
                query = "SELECT DISTINCT seller_id, {n:String} FROM order_lines"
                response = client.send(query, param_n=seller_id.replace("\\", "\\\\"))
                if response.status_code == 200:
                    found |= {tuple(row) for row in json.loads(response.content)["data"]}
            return found

    sellers = [*SELLERS, *SELLERS]
    with ThreadPoolExecutor(len(sellers)) as threads:
        for seller_id, found in zip(sellers, threads.map(ask, sellers), strict=True):
            assert found == {(seller_id, seller_id)}


def test_the_engine_alone_shows_no_foreign_rows(filled: Settings) -> None:
    """Without the check of the query, the filters hide the rows of every table and every view."""
    facts, database = filled.clickhouse_database, analytics_database(filled.clickhouse_database)
    with connect(filled, admin=True) as admin:
        found = admin.query(
            "SELECT database, table, countIf(name = 'seller_id') FROM system.columns "
            "WHERE database IN {databases:Array(String)} AND NOT startsWith(table, 'q_') GROUP BY ALL",
            {"databases": [facts, database]},
        ).result_rows
        shown = {}
        settings = {"additional_table_filters": table_filters("seller-ana", database), "final": 1}
        for owner, table, has_seller in found:
            foreign = "seller_id != 'seller-ana'" if has_seller else "1"
            query = f"SELECT count() FROM `{owner}`.`{table}` WHERE {foreign}"
            if count := admin.query(query, settings=settings).result_rows[0][0]:
                shown[f"{owner}.{table}"] = count
    assert len(found) > 50
    assert set(shown) <= {f"{facts}.{table}" for table in SOURCE_FILTERS}


def test_every_table_of_a_seller_s_view_has_a_filter(filled: Settings) -> None:
    sources = {source for name in OF_SELLERS for source in read_views()[name].sources}
    with connect(filled) as analyst:
        found = analyst.query(
            "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'seller_id' "
            "AND table IN {sources:Array(String)}",
            {"sources": sorted(sources)},
        ).result_rows
    assert sources - {row[0] for row in found} == set(SOURCE_FILTERS) & sources
    assert ODD in SELLERS


def test_a_seller_with_many_long_queries_does_not_keep_others_waiting(filled: Settings) -> None:
    long = f"SELECT count() FROM {', '.join(f'numbers(1000) AS n{number}' for number in range(5))}"

    def ask(seller_id: str, query: str) -> str:
        with seller_client(filled, seller_id) as client:
            client.http.timeout = httpx.Timeout(3)
            try:
                return client.send(query).headers.get("x-clickhouse-exception-code", "none")
            except httpx.ReadTimeout:
                return "still running"

    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(ask, "seller-ana", long) for _ in range(6)]
        assert next(as_completed(asked)).result() == "202"
        assert ask("seller-bob", "SELECT 1") == "none"
    assert sorted(each.result() for each in asked) == ["202"] * 4 + ["still running"] * 2
