"""Metrics and their rows as files: CSV and Parquet say what the JSON says, to the cent."""

import asyncio
import csv
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from redis.asyncio import Redis

from clickhouse.metric_catalogue.definition import read_catalogue
from clickhouse.query_files import load_queries
from common.settings import Settings
from serving.analytics.metrics import MetricsRequest, export_of_seller
from serving.analytics.row_export import COLUMNS, begin_export
from serving.kit.analytics_context import AnalyticsContext, PeriodRequest
from serving.kit.clickhouse import ClickHouseQueries
from serving.kit.live_versions import LiveVersions
from serving.kit.names import Names
from serving.kit.parquet_writer import PARQUET
from serving.kit.watermarks import WatermarkCache
from tests.csv_cells import cell

PERIOD = {"from": "2017-10-01", "to": "2018-03-01"}
MEASURED = ("net_sales", "orders", "cancellation_rate")


def path_of(metric: str, seller: str = "ana") -> str:
    return f"/v1/sellers/{seller}/analytics/{metric}"


def parquet(content: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(BytesIO(content)).to_pylist()
    return rows


def as_parquet(value: Any, *, is_money: bool) -> Any:
    return Decimal(value).scaleb(-2) if is_money and value is not None else value


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize("by", [None, "product", "weekday"])
def test_the_parquet_form_of_metrics_says_what_the_json_says(api: httpx.Client, by: str | None) -> None:
    names = ("net_sales", "average_order_value", "units", "cancellation_rate")
    money = {name for name in names if read_catalogue()[name].unit == "money"}
    asked = {**PERIOD, "with": ",".join(names[1:]), "top": 1, "grain": "month"} | ({"by": by} if by else {})
    shown = api.get(path_of("net_sales"), params=asked).raise_for_status().json()
    by_header = api.get(path_of("net_sales"), params=asked, headers={"Accept": PARQUET}).raise_for_status()
    by_parameter = api.get(path_of("net_sales"), params={**asked, "format": "parquet"})
    file = api.get(path_of("net_sales/export.parquet"), params=asked)

    parts = [*shown["split"], *([shown["rest"]] if shown["rest"] else [])] if by else shown["series"]
    rows = parquet(by_header.content)
    assert [{name: row[name] for name in names} for row in rows] == [
        {name: as_parquet(part["values"][name], is_money=name in money) for name in names} for part in parts
    ]
    if by is None:
        assert [(row["start"], row["end"]) for row in rows] == [
            (moment(part["start"]), moment(part["end"])) for part in parts
        ]
    assert by_header.content == by_parameter.content == file.content
    assert by_header.headers["content-type"] == PARQUET
    assert by_header.headers["Souk-As-Of"] == shown["as_of"]
    assert file.headers["content-disposition"].endswith('.parquet"')


@pytest.mark.parametrize("metric", MEASURED)
def test_all_rows_behind_a_metric_are_the_same_in_every_form(api: httpx.Client, metric: str) -> None:
    shown = api.get(path_of(metric) + "/rows", params={**PERIOD, "limit": 500}).raise_for_status().json()
    page = api.get(path_of(metric) + "/rows", params={**PERIOD, "limit": 500, "format": "parquet"})
    file = api.get(path_of(metric) + "/rows/export.parquet", params=PERIOD).raise_for_status()
    text = api.get(path_of(metric) + "/rows/export.csv", params=PERIOD).raise_for_status()

    is_money = shown["value_unit"] == "money"
    expected = [
        {**row, "at": moment(row["at"]), "value": as_parquet(row["value"], is_money=is_money)}
        for row in shown["rows"]
    ]
    assert shown["next_cursor"] is None
    assert len(expected) > 2
    assert parquet(page.content) == parquet(file.content) == expected
    lines = list(csv.DictReader(StringIO(text.text)))
    assert lines == [
        {name: cell(row[name], is_money=is_money and name == "value") for name in COLUMNS}
        | ({"currency": "BRL"} if is_money else {})
        for row in shown["rows"]
    ]
    assert file.headers["Souk-As-Of"] == text.headers["Souk-As-Of"] == shown["as_of"]


def test_rows_are_read_in_slices_of_whole_minutes(shop: Settings) -> None:
    async def rows_of(slice_rows: int) -> tuple[int, list[dict[str, Any]]]:
        async with ClickHouseQueries(shop, load_queries()) as clickhouse:
            redis = Redis.from_url(shop.redis_url)
            versions = LiveVersions(redis)
            names = Names(clickhouse, versions)
            watermarks = WatermarkCache(clickhouse)
            context = AnalyticsContext(
                shop.timezone, "BRL", clickhouse, versions, names, watermarks, lambda: datetime.now(UTC)
            )
            asked = MetricsRequest(("gross_sales",), PeriodRequest(PERIOD["from"], PERIOD["to"]))
            whole = await export_of_seller(context, "ana", asked)
            export = await begin_export(context, whole.metric, None, "ana", whole.parameters, slice_rows)
            rows = [row async for table in export.tables() for row in table.to_pylist()]
            await watermarks.aclose()
            await redis.aclose()
            return len(export.slices), rows

    slices, rows = asyncio.run(rows_of(1))
    assert slices > 3
    assert (1, rows) == asyncio.run(rows_of(1_000))
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)


def test_a_period_without_rows_is_an_empty_file(api: httpx.Client) -> None:
    period = {"from": "2010-01-01", "to": "2010-02-01"}

    assert parquet(api.get(path_of("net_sales/rows/export.parquet"), params=period).content) == []
    text = api.get(path_of("net_sales/rows/export.csv"), params=period).text
    assert text.splitlines() == [",".join([*COLUMNS, "currency"])]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("net_sales?format=xlsx", 422, "format"),
        ("luck/rows/export.parquet", 404, "no metric 'luck'"),
        ("net_sales/rows/export.csv?from=yesterday", 422, "not an ISO date"),
        ("repeat_rate/rows/export.parquet?product=lamp", 422, "can't be restricted"),
    ],
)
def test_a_refusal_comes_before_the_file(api: httpx.Client, path: str, status: int, says: str) -> None:
    answer = api.get(path_of(path))

    assert answer.status_code == status
    assert says in answer.json()["detail"]
    assert api.get(path_of("net_sales/rows/export.parquet", "nobody-at-all")).status_code == 404


@pytest.mark.usefixtures("seller_sql")
def test_the_result_of_sql_is_parquet_for_those_who_ask(api: httpx.Client) -> None:
    sql = "/v1/sellers/ana/sql"
    query = "SELECT currency, sum(revenue) AS net_sales, toDate('2018-01-01') AS day FROM sales GROUP BY 1"
    body = {"query": f"{query} ORDER BY 1"}
    shown = api.post(sql, json=body).raise_for_status().json()
    file = api.post(sql, json=body, headers={"Accept": PARQUET}).raise_for_status()

    assert [str(row["net_sales"].normalize()) for row in parquet(file.content)] == [
        str(Decimal(row[1]).normalize()) for row in shown["rows"]
    ]
    assert [row["currency"] for row in parquet(file.content)] == ["BRL", "EUR"]
    assert file.headers["Souk-As-Of"] == shown["as_of"]
    many = {"query": "SELECT number FROM numbers(10001)"}
    long = api.post(f"{sql}?format=parquet", json=many).raise_for_status()
    assert (len(parquet(long.content)), long.headers["Souk-Truncated"]) == (10_000, "true")
    assert api.post(f"{sql}?format=parquet", json={"query": "SELECT * FROM payments"}).status_code == 422


def test_a_name_that_is_a_formula_is_a_text_in_every_csv(api: httpx.Client, add: Any) -> None:
    add("product_listed", ["formula", "2017-02-01 00:00:00.000", "lamp", "=HYPERLINK(1)", "light"])
    text = api.get(path_of("net_sales/rows/export.csv"), params=PERIOD).raise_for_status().text
    page = api.get(path_of("net_sales/rows"), params=PERIOD, headers={"Accept": "text/csv"}).text
    orders = api.get("/v1/sellers/ana/orders", params=PERIOD, headers={"Accept": "text/csv"}).text

    for table in (text, page, orders):
        assert "=HYPERLINK" in table
        assert not [cell for row in csv.reader(StringIO(table)) for cell in row if cell.startswith("=")]
