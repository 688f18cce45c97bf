"""Public ClickHouse clients work with the HTTP server."""

import datetime as dt
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from clickhouse.client import connect
from common.errors import PartUnavailable
from common.settings import Settings
from local.install.jars import jars
from tests.integration.javac import java_program

JAVA = Path(__file__).parent / "java" / "JdbcQueries.java"


@pytest.fixture
def admin(clickhouse_server: Settings):
    return connect(clickhouse_server, admin=True)


@pytest.fixture
def reader(clickhouse_server: Settings):
    return connect(clickhouse_server)


def test_clickhouse_connect_reads_rows_frames_and_arrow(reader):
    query = "SELECT number AS n, toString(number) AS s FROM numbers(3)"

    assert reader.query(query).result_rows == [(0, "0"), (1, "1"), (2, "2")]
    assert reader.query_df(query)["n"].tolist() == [0, 1, 2]
    assert reader.query_arrow(query)["n"].to_pylist() == [0, 1, 2]


def test_clickhouse_connect_s_parameters_arrive_as_they_are(reader):
    given = {
        "s": "it's\n\\t{x} é",
        "a": ["q'", "\\"],
        "d": dt.datetime(2018, 1, 2, 3, 4, 5),  # noqa: DTZ001 (ClickHouse's own zone)
        "n": None,
    }

    row = reader.query(
        "SELECT {s:String}, {a:Array(String)}, {d:DateTime}, {n:Nullable(Int8)}", given
    ).first_row

    assert list(row) == list(given.values())


@pytest.mark.parametrize("compress", [True, False, "lz4", "zstd", "gzip"])
def test_clickhouse_connect_streams_and_inserts_with_every_compression(clickhouse_server, compress):
    client = clickhouse_connect.get_client(
        host="127.0.0.1",
        port=clickhouse_server.port("clickhouse"),
        username="admin",
        password=clickhouse_server.clickhouse_admin_password.get_secret_value(),
        database="souk",
        compress=compress,
    )
    client.command(
        "CREATE OR REPLACE TABLE cc (a UInt64, b DateTime64(3, 'UTC'), c Array(String)) ORDER BY a"
    )
    at = dt.datetime(2018, 1, 1, tzinfo=dt.UTC)

    written = client.insert("cc", [[n, at, ["x", "y"]] for n in range(5000)], column_names=["a", "b", "c"])
    with client.query_row_block_stream("SELECT number FROM numbers(300000)") as blocks:
        streamed = sum(len(block) for block in blocks)

    assert written.written_rows == 5000
    assert client.query("SELECT count(), sum(a) FROM cc").first_row == (5000, 12_497_500)
    assert streamed == 300_000


def test_clickhouse_connect_inserts_arrow(admin):
    admin.command("CREATE OR REPLACE TABLE arrows (a UInt64, b String DEFAULT 'none') ORDER BY a")

    admin.insert_arrow("arrows", pa.table({"a": pa.array([1, 2], pa.uint64())}))

    assert admin.query("SELECT a, b FROM arrows ORDER BY a").result_rows == [(1, "none"), (2, "none")]


def test_clickhouse_connect_understands_errors(reader):
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        reader.query("SELECT * FROM nope")
    with pytest.raises(DatabaseError, match="READONLY"):
        reader.command("INSERT INTO t VALUES (1)")
    query = "SELECT number, throwIf(number = 3000000) FROM numbers(4000000)"
    with reader.query_row_block_stream(query) as blocks, pytest.raises(StreamFailureError, match="Code: 395"):
        list(blocks)


def test_clickhouse_connect_keeps_a_session(clickhouse_server):
    client = clickhouse_connect.get_client(
        host="127.0.0.1",
        port=clickhouse_server.port("clickhouse"),
        username="admin",
        password=clickhouse_server.clickhouse_admin_password.get_secret_value(),
        session_id="clickhouse-connect",
    )
    client.command("CREATE TEMPORARY TABLE mine (a UInt8)")
    client.command("INSERT INTO mine VALUES (1), (2)")

    assert client.query("SELECT sum(a) FROM mine", settings={"max_block_size": 10}).first_row == (3,)


def test_one_client_serves_many_threads(reader):
    def ask(number: int) -> bool:
        return reader.query("SELECT {a:UInt32}", {"a": number}).first_row == (number,)

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(300)))


def test_a_client_without_clickhouse_or_with_a_wrong_password_says_so(clickhouse_server, tmp_path):
    wrong = clickhouse_server.model_copy(update={"clickhouse_analyst_user": "nobody"})
    with pytest.raises(PartUnavailable, match="can't be used as nobody"):
        connect(wrong)
    with pytest.raises(PartUnavailable, match=r"ClickHouse at http://127\.0\.0\.1:1 can't"):
        connect(Settings(home=tmp_path, clickhouse_url="http://127.0.0.1:1"))


@pytest.fixture(scope="session")
def java_client(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line of a small program on the official JDBC driver."""
    try:
        driver = jars(Settings(), "jdbc")
    except PartUnavailable as error:
        pytest.skip(f"no JDBC driver: {error}")
    return java_program("JdbcQueries", [JAVA], tmp_path_factory.mktemp("java"), driver)


def ask_with_java(command: list[str], settings: Settings, user: str, password: str) -> list[str]:
    url = f"jdbc:clickhouse://127.0.0.1:{settings.port('clickhouse')}/souk"
    ran = subprocess.run(
        [*command, url, user, password], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


READ = [
    "ClickHouse 26.9.2.1",
    "columns [a, b]",
    "0 it's 0 2018-01-02T03:04:05.678Z",
    "1 it's 1 2018-01-02T03:04:05.678Z",
    "sum 44999850000",
    "error UNKNOWN_TABLE",
]


def test_the_official_jdbc_driver_reads_and_writes(java_client, clickhouse_server, admin):
    admin.command("CREATE OR REPLACE TABLE jdbc (a Int32, b String) ORDER BY a")
    password = clickhouse_server.clickhouse_admin_password.get_secret_value()

    assert ask_with_java(java_client, clickhouse_server, "admin", password) == [*READ, "inserted 1000 499500"]


def test_the_official_jdbc_driver_reads_as_the_reader_and_can_t_write(java_client, clickhouse_server, admin):
    admin.command("CREATE OR REPLACE TABLE jdbc (a Int32, b String) ORDER BY a")

    assert ask_with_java(java_client, clickhouse_server, "reader", "") == [*READ, "error READONLY"]
