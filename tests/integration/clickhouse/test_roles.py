"""Who may connect to ClickHouse, and which databases each user may read."""

from collections.abc import Iterator

import httpx
import pytest

from common.demo_mode import mode_file
from common.settings import Settings
from local.demo_mode import set_demo
from tests.integration.conftest import ANALYST_PASSWORD, CLICKHOUSE_PASSWORD, clickhouse_settings
from tests.integration.conftest import running_clickhouse as running

SERVING_PASSWORD = "the API's secret"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A server that is not in demo mode, with a view over an internal table, and another database."""
    settings = clickhouse_settings(tmp_path_factory.mktemp("roles"))
    with running(settings, environment={"SOUK_CLICKHOUSE_SERVING_PASSWORD": SERVING_PASSWORD}):
        for statement in (
            "CREATE DATABASE souk",
            "CREATE DATABASE souk_rows",
            "CREATE DATABASE other",
            "CREATE TABLE souk.fact (a UInt8, n Array(UInt8)) ORDER BY a",
            "CREATE TABLE souk_rows.sales_1 (a UInt8) ORDER BY a",
            "CREATE TABLE other.secret (a UInt8) ORDER BY a",
            "CREATE VIEW souk.sales AS SELECT a AS a FROM souk_rows.sales_1",
            "CREATE VIEW souk.q_sales AS SELECT a AS a FROM souk_rows.sales_1 WHERE a = {a:UInt8}",
            "CREATE VIEW other.q_secret AS SELECT a AS a FROM other.secret WHERE a = {a:UInt8}",
            "INSERT INTO souk.fact VALUES (7, [7])",
            "INSERT INTO souk_rows.sales_1 VALUES (7)",
            "INSERT INTO other.secret VALUES (7)",
        ):
            made = ask(settings, "admin", CLICKHOUSE_PASSWORD, statement)
            assert made.status_code == 200, made.text
        yield settings


def ask(settings: Settings, user: str, password: str, query: str, **params: str) -> httpx.Response:
    return httpx.post(
        settings.clickhouse, auth=(user, password), content=query, params=params, trust_env=False, timeout=60
    )


def test_an_analyst_needs_the_password(shop: Settings) -> None:
    assert ask(shop, "analyst", ANALYST_PASSWORD, "SELECT a FROM souk.fact").text == "7\n"
    for password in ("", "wrong", SERVING_PASSWORD):
        refused = ask(shop, "analyst", password, "SELECT 1")
        assert refused.status_code == 403
        assert refused.headers["x-clickhouse-exception-code"] == "516"


@pytest.mark.parametrize("user", ["reader", "default", ""])
def test_without_demo_mode_a_client_without_a_password_learns_which_one_it_needs(
    shop: Settings, user: str
) -> None:
    refused = ask(shop, user, "", "SELECT 1")

    assert (refused.status_code, refused.headers["x-clickhouse-exception-code"]) == (403, "516")
    assert "connect as analyst" in refused.text
    assert "clickhouse_analyst_password in the file secrets.toml" in refused.text
    assert ANALYST_PASSWORD not in refused.text
    assert httpx.get(f"{shop.clickhouse}/?query=SELECT+1", trust_env=False).status_code == 403
    assert httpx.get(f"{shop.clickhouse}/ping", trust_env=False).text == "Ok.\n"


def test_demo_mode_is_noticed_without_a_restart(shop: Settings) -> None:
    set_demo(shop)
    try:
        assert ask(shop, "reader", "", "SELECT a FROM souk.fact").text == "7\n"
        assert ask(shop, "reader", "", "SELECT a FROM souk_rows.sales_1").status_code == 403
        assert ask(shop, "admin", "", "SELECT 1").status_code == 403
        assert ask(shop, "serving", "", "SELECT 1").status_code == 403
    finally:
        mode_file(shop).unlink()
    assert ask(shop, "reader", "", "SELECT a FROM souk.fact").status_code == 403


READERS = {"analyst": ANALYST_PASSWORD, "serving": SERVING_PASSWORD}


@pytest.mark.parametrize("user", READERS)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT a FROM sales",
        "SELECT a FROM souk.sales AS souk_rows WHERE souk_rows.a = 7",
        "SELECT a FROM q_sales(a = 7)",
        "SELECT a FROM souk.q_sales(a = 7)",
        "SELECT a FROM fact WHERE fact.a IN souk.sales",
        "SELECT a FROM fact AS other WHERE other.a IN (7, 8)",
        "SELECT f.a FROM fact AS f WHERE has(f.n, f.a)",
        "SELECT toUInt8(7) FROM information_schema.tables WHERE table_name = 'fact'",
        "SELECT toUInt8(7) FROM system.tables WHERE name = 'fact'",
    ],
)
def test_a_read_only_user_reads_facts_and_views(shop: Settings, user: str, query: str) -> None:
    answer = ask(shop, user, READERS[user], query, database="souk")

    assert answer.text == "7\n"


OUTSIDE = {
    "a table": "SELECT a FROM souk_rows.sales_1",
    "another database": "SELECT a FROM other.secret",
    "a quoted name": 'SELECT a FROM "souk_rows"."sales_1"',
    "blanks": "SELECT a FROM souk_rows /**/ . /**/ sales_1",
    "a join": "SELECT s.a FROM souk.fact AS f JOIN souk_rows.sales_1 AS s ON s.a = f.a",
    "a subquery": "SELECT a FROM (SELECT a FROM souk_rows.sales_1)",
    "a scalar": "SELECT (SELECT a FROM souk_rows.sales_1)",
    "WITH": "WITH s AS (SELECT a FROM souk_rows.sales_1) SELECT a FROM s",
    "a union": "SELECT a FROM souk.fact UNION ALL SELECT a FROM souk_rows.sales_1",
    "view()": "SELECT a FROM view(SELECT a FROM souk_rows.sales_1)",
    "EXPLAIN": "EXPLAIN ESTIMATE SELECT a FROM souk_rows.sales_1",
    "DESCRIBE": "DESCRIBE TABLE souk_rows.sales_1",
    "FROM first": "FROM souk_rows.sales_1",
    "a parameterised view": "SELECT a FROM other.q_secret(a = 7)",
    "a parameter": "SELECT a FROM {d:Identifier}.sales_1",
    # The parser can't tell the name of a table after IN from that of a column.
    "IN": "SELECT 7 IN souk_rows.sales_1",
    "IN with brackets": "SELECT 7 IN (souk_rows.sales_1)",
    "NOT IN": "SELECT 7 NOT IN souk_rows.sales_1",
    "GLOBAL IN": "SELECT 7 GLOBAL IN souk_rows.sales_1",
    "in()": "SELECT in(7, souk_rows.sales_1)",
    "nullIn()": "SELECT notNullIn(7, souk_rows.sales_1)",
    "globalNullInIgnoreSet()": "SELECT globalNullInIgnoreSet(7, souk_rows.sales_1)",
    "IN after a nested IN": "SELECT (7 IN (SELECT 1 IN (1, 2))) IN other.secret",
    "IN within a function": "SELECT arrayFilter(x -> x IN souk_rows.sales_1, [7])",
    "IN a parameter": "SELECT 7 IN {d:Identifier}.sales_1",
}


@pytest.mark.parametrize("user", READERS)
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_read_only_user_reads_no_other_database_by(name: str, user: str, shop: Settings) -> None:
    query = OUTSIDE[name]
    assert ask(shop, "admin", CLICKHOUSE_PASSWORD, query, param_d="souk_rows").status_code == 200

    for _ in range(2):
        refused = ask(shop, user, READERS[user], query, param_d="souk_rows", database="souk")

        assert refused.headers["x-clickhouse-exception-code"] == "497", refused.text


@pytest.mark.parametrize("user", READERS)
@pytest.mark.parametrize("database", ["souk_rows", "other", "system"])
def test_a_read_only_user_can_t_make_another_database_the_current_one(
    shop: Settings, user: str, database: str
) -> None:
    for query in ("SELECT a FROM sales_1", "SELECT 1"):
        refused = ask(shop, user, READERS[user], query, database=database)

        assert refused.headers["x-clickhouse-exception-code"] == "497", refused.text
    header = {"X-ClickHouse-Database": database}
    login = (user, READERS[user])
    refused = httpx.post(shop.clickhouse, auth=login, content="SELECT 1", headers=header, trust_env=False)
    assert refused.headers["x-clickhouse-exception-code"] == "497", refused.text
