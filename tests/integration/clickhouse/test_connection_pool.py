"""Pooled connections: no state of a request is left for the next one."""

import uuid

import httpx
import pytest

from clickhouse.engine import Engine
from clickhouse.sql_guard.errors import DatabaseError
from local.embedded_clickhouse.config import write_config
from local.embedded_clickhouse.connections import MAX_IDLE, ConnectionPool

BLOCK_SIZE = "SELECT getSetting('max_block_size')"


def test_a_parameter_is_gone_with_its_request(reader):
    query = "SELECT {seller_id:String}"

    assert reader.post("/", content=query, params={"param_seller_id": "ana"}).text == "ana\n"
    assert reader.post("/", content=query).headers["x-clickhouse-exception-code"] == "456"


def test_settings_and_database_are_each_request_s_own(reader):
    usual = reader.post("/", content=BLOCK_SIZE).text

    assert reader.post("/", content=BLOCK_SIZE, params={"max_block_size": "777"}).text == "777\n"
    assert reader.post("/", content=f"{BLOCK_SIZE} SETTINGS max_block_size = 555").text == "555\n"
    assert reader.post("/", content=BLOCK_SIZE).text == usual
    asked = {"database": "information_schema"}
    assert reader.post("/", content="SELECT currentDatabase()", params=asked).text == "information_schema\n"
    assert reader.post("/", content="SELECT currentDatabase()").text == "default\n"


@pytest.mark.parametrize(
    "statement",
    [
        "SET max_block_size = 7",
        "SET param_a = 'x'",
        "USE information_schema",
        "CREATE TEMPORARY TABLE t (a Int8)",
    ],
)
def test_a_statement_that_would_leave_something_is_not_a_reader_s(reader, statement):
    codes = {reader.post("/", content=statement).headers["x-clickhouse-exception-code"] for _ in range(2)}

    assert codes <= {"164", "497"}


def test_what_an_admin_sets_is_gone_with_the_request(reader, admin):
    before = admin.post("/", content=BLOCK_SIZE).text
    for statement in ("SET max_block_size = 7", "USE information_schema"):
        assert admin.post("/", content=statement).status_code == 200

    assert admin.post("/", content=f"{BLOCK_SIZE}, currentDatabase()").text == before.replace(
        "\n", "\tdefault\n"
    )
    assert "7\n" not in (admin.post("/", content=BLOCK_SIZE).text, reader.post("/", content=BLOCK_SIZE).text)


def test_an_insert_s_settings_are_gone_with_it(admin):
    table = f"souk.t_{uuid.uuid4().hex}"
    made = f"CREATE TABLE {table} (a UInt64, b UInt64 DEFAULT getSetting('max_block_size')) ENGINE = Memory"
    assert admin.post("/", content=made).status_code == 200
    insert = f"INSERT INTO {table} (a) %s FORMAT TSV"

    for number, clause in enumerate(("", "SETTINGS max_block_size = 7", "")):
        answer = admin.post("/", params={"query": insert % clause}, content=f"{number}\n")
        assert answer.status_code == 200, answer.text

    usual, other, after = admin.post("/", content=f"SELECT b FROM {table} ORDER BY a").text.split()
    assert (usual, other) == (after, "7")
    admin.post("/", content=f"DROP TABLE {table}")


def test_after_a_client_went_away_others_are_answered(reader):
    slow = "SELECT count() FROM numbers(1900000000) WHERE sipHash64(number, number + 1) = 1"
    with pytest.raises(httpx.ReadTimeout):
        reader.post("/", content=slow, timeout=0.5)

    assert {reader.post("/", content="SELECT 1").text for _ in range(20)} == {"1\n"}


def test_connections_are_used_again_by_who_asks_for_the_same_and_bounded(tmp_path):
    engine = Engine(tmp_path / "data", write_config(tmp_path / "config"), tmp_path)
    kept = ConnectionPool(engine)

    def tag(number: int) -> str:
        with kept.hold({"max_block_size": str(number)}, "") as (found, _):
            return found

    first = tag(1)
    assert tag(1) == first != tag(2)
    for number in range(3, 3 + MAX_IDLE):
        tag(number)
    assert tag(1) != first, "the one that was idle longest is closed"
    with pytest.raises(DatabaseError), kept.hold({}, "") as (broken, connection):
        connection.query(b"SELECT no_such_column")
    with kept.hold({}, "") as (another, _):
        assert another != broken, "where something failed nothing is used again"
    kept.close()
    engine.close()
