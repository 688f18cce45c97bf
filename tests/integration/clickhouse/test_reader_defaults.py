"""A reader's figures are right without knowing how ClickHouse stores events."""

import re
from collections.abc import Iterator

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client

from clickhouse.client import connect
from clickhouse.query_files import load_queries
from common.settings import Settings
from local.embedded_clickhouse.users import READER_DEFAULTS, SERVING_DEFAULTS
from tests.integration.metric_tables import emptied, writable


@pytest.fixture(scope="module")
def shop(migrated_database: Settings) -> Iterator[Settings]:
    """A database with the platform's tables, in which one event is stored twice."""
    settings = emptied(migrated_database)
    admin = connect(settings, admin=True)
    admin.command("SYSTEM STOP MERGES")
    for _ in range(2):
        admin.command(
            "INSERT INTO seller_registered (event_id, occurred_at, seller_id, name) "
            "VALUES ('1', '2026-01-01 00:00:00', 'ana', 'Ana'), ('2', '2026-01-01 00:00:00', 'bob', 'Bob')"
        )
        admin.command(
            f"INSERT INTO {writable(settings, 'sales_lines')} "
            "(seller_id, minute, order_id, kind, currency, orders, units, gross_minor) "
            "VALUES ('ana', 60, 'o1', 'sold', 'BRL', 1, 1, 100), ('eve', 60, 'o2', 'sold', 'BRL', 2, 2, 300)"
        )
    yield settings
    admin.command("SYSTEM START MERGES")


@pytest.fixture
def reader(shop: Settings) -> Client:
    return connect(shop)


def test_an_event_that_is_stored_twice_counts_once(reader: Client) -> None:
    assert reader.query("SELECT count() FROM seller_registered").first_row == (2,)


def test_a_left_join_gives_null_for_what_it_did_not_find(reader: Client) -> None:
    query = (
        "SELECT r.name, s.gross_minor FROM seller_registered AS r "
        "LEFT JOIN seller_sales_minute AS s USING (seller_id) ORDER BY r.name"
    )

    assert reader.query(query).result_rows == [("Ana", 100), ("Bob", None)]


def test_the_name_of_a_view_can_qualify_its_columns(reader: Client) -> None:
    query = "SELECT sum(sales_lines.units) FROM sales_lines WHERE sales_lines.kind = 'sold'"

    assert reader.query(query).first_row == (3,)


def test_clickhouse_connect_may_change_harmless_settings(reader: Client) -> None:
    count = "SELECT count() FROM seller_registered"

    assert reader.query(count, settings={"final": 0}).first_row == (4,)
    assert reader.query(
        count, settings={"final": 1, "join_use_nulls": 1, "session_timezone": "UTC"}
    ).first_row == (2,)
    with pytest.raises(clickhouse_connect.driver.exceptions.Error, match="SETTING_CONSTRAINT"):
        reader.query(count, settings={"max_memory_usage": 1 << 40})
    with pytest.raises(clickhouse_connect.driver.exceptions.Error, match="readonly"):
        reader.query(count, settings={"format_schema": "x"})


def test_a_setting_inside_of_a_query_lifts_no_limit(shop: Settings) -> None:
    for setting in ("max_memory_usage = 0", "readonly = 0", "final = 0"):
        query = f"SELECT * FROM (SELECT 1 SETTINGS {setting})"
        answer = httpx.post(shop.clickhouse, content=query, trust_env=False)
        assert answer.headers["x-clickhouse-exception-code"] == "497", answer.text


BY_NAME = {
    "currency": "BRL",
    "grain": "day",
    "timezone": "UTC",
    "sort": "revenue",
    "by": "revenue",
    "after_id": "",
    "product_id": "lamp",
    "period_end": "2030-01-01 00:00:00",
    "asked": "",
    "category": "",
}
BY_TYPE = {
    "String": "ana",
    "Int32": "20",
    "UInt32": "20",
    "Int64": "0",
    "UInt64": "0",
    "Array(String)": "['ana','eve']",
    "Array(Int64)": "[1,2]",
    "DateTime('UTC')": "1970-01-01 00:00:00",
    "DateTime64(3, 'UTC')": "1970-01-01 00:00:00.000",
}


def parameters(text: str) -> dict[str, str]:
    """A value for each parameter of a query."""
    found = re.findall(r"\{(\w+):([^}]+)\}", text)
    return {f"param_{name}": BY_NAME.get(name, BY_TYPE[kind]) for name, kind in found}


@pytest.mark.parametrize("name", load_queries())
def test_a_query_of_the_api_answers_the_same_with_a_readers_defaults(name: str, shop: Settings) -> None:
    text = load_queries()[name]
    admin = (shop.clickhouse_admin_user, shop.clickhouse_admin_password.get_secret_value())
    answers = set()
    for defaults in (READER_DEFAULTS, SERVING_DEFAULTS):
        params = {"database": shop.clickhouse_database, "default_format": "JSONCompactEachRow", **defaults}
        params |= parameters(text)
        answer = httpx.post(shop.clickhouse, content=text, params=params, auth=admin, trust_env=False)
        assert answer.status_code == 200, answer.text
        answers.add(answer.text)

    assert len(answers) == 1
