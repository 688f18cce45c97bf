"""ClickHouse's HTTP interface as curl sees it."""

import gzip
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import lz4.frame
import pytest
import zstandard

from common.settings import Settings
from local.embedded_clickhouse.compression import decompress, native_block


@pytest.fixture
def reader(clickhouse_server: Settings):
    with httpx.Client(
        base_url=clickhouse_server.clickhouse, timeout=60, limits=httpx.Limits(), trust_env=False
    ) as client:
        yield client


@pytest.fixture
def admin(clickhouse_server: Settings):
    auth = ("admin", clickhouse_server.clickhouse_admin_password.get_secret_value())
    url = clickhouse_server.clickhouse
    with httpx.Client(
        base_url=url, timeout=60, trust_env=False, auth=auth, params={"database": "souk"}
    ) as client:
        yield client


@pytest.fixture
def table(admin: httpx.Client):
    name = "t_" + uuid.uuid4().hex
    made = admin.post("/", content=f"CREATE TABLE {name} (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    assert made.status_code == 200, made.text
    yield name
    admin.post("/", content=f"DROP TABLE {name}")


def count(admin: httpx.Client, table: str) -> int:
    return int(admin.post("/", content=f"SELECT count() FROM {table}").text)


def wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in 20 s"
        time.sleep(0.05)


@pytest.mark.parametrize("path", ["/", "/ping", "/replicas_status"])
def test_it_says_ok(reader, path):
    assert reader.get(path).text == "Ok.\n"


def test_a_path_that_is_none_says_where_queries_go(reader):
    answer = reader.get("/<b>nope</b>")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain"), "a browser must not read it as a page"
    assert "POST /" in answer.text


def test_a_query_is_taken_from_the_url_the_body_or_both(reader):
    assert reader.get("/", params={"query": "SELECT 1"}).text == "1\n"
    assert reader.post("/", content="SELECT 1").text == "1\n"
    assert reader.post("/", params={"query": "SELECT 1,"}, content="2").text == "1\t2\n"


def test_the_format_comes_from_the_query_then_the_header_then_the_url(reader):
    url, header = {"default_format": "CSV"}, {"X-ClickHouse-Format": "JSONEachRow"}

    assert reader.post("/", content="SELECT 'x' AS a", params=url).text == '"x"\n'
    assert reader.post("/", content="SELECT 'x' AS a", params=url, headers=header).text == '{"a":"x"}\n'
    answer = reader.post("/", content="SELECT 'x' AS a FORMAT TSV", params=url, headers=header)
    assert answer.text == "x\n"
    assert answer.headers["x-clickhouse-format"] == "TSV"


@pytest.mark.parametrize(
    "name", ["JSON", "Native", "Parquet", "ArrowStream", "RowBinaryWithNamesAndTypes", "XML"]
)
def test_an_answer_without_rows_has_its_format_s_frame_all_the_same(reader, name):
    answer = reader.post("/", content=f"SELECT 1 AS a WHERE 0 FORMAT {name}")

    assert answer.status_code == 200
    assert answer.content or name == "Native"


def test_a_summary_counts_what_was_read(reader):
    answer = reader.post("/", content="SELECT sum(number) FROM numbers(1000)", params={"query_id": "mine"})

    assert '"read_rows":"1000"' in answer.headers["x-clickhouse-summary"]
    assert answer.headers["x-clickhouse-query-id"] == "mine"
    assert answer.headers["x-clickhouse-timezone"]
    assert answer.headers["x-clickhouse-server-display-name"]


@pytest.mark.parametrize(
    ("query", "status", "code", "name"),
    [
        ("SELECT * FROM nope", 404, 60, "UNKNOWN_TABLE"),
        ("SELEC 1", 400, 62, "SYNTAX_ERROR"),
        ("", 400, 62, "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", 400, 62, "SYNTAX_ERROR"),
        ("SELECT nope(1)", 404, 46, "UNKNOWN_FUNCTION"),
        ("SELECT 1 FORMAT Nope", 404, 73, "UNKNOWN_FORMAT"),
        ("SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT {a:UInt8}", 500, 456, "UNKNOWN_QUERY_PARAMETER"),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", 500, 358, "INTO_OUTFILE_NOT_ALLOWED"),
    ],
)
def test_an_error_looks_like_clickhouse_s(admin, query, status, code, name):
    answer = admin.post("/", content=query)

    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name}) (version " in answer.text


def test_an_unknown_setting_is_error_115(reader):
    answer = reader.get("/", params={"query": "SELECT 1", "no_such_setting": "1"})

    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (404, "115")


def test_a_query_of_ten_megabytes_is_error_62(reader):
    answer = reader.post("/", content="SELECT '" + "x" * 10_000_000 + "'")

    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (400, "62")
    assert "Max query size exceeded" in answer.text
    assert reader.post("/", content="SELECT 1").text == "1\n"


def test_a_wrong_password_is_error_516_and_status_403(reader):
    for given in (
        {"auth": ("admin", "no")},
        {"headers": {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": "no"}},
        {"params": {"user": "admin", "password": "no"}},
    ):
        answer = reader.post("/", content="SELECT 1", **given)
        assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (403, "516")


def test_every_way_to_give_a_password_works(reader, clickhouse_server):
    password = clickhouse_server.clickhouse_admin_password.get_secret_value()
    for given in (
        {"auth": ("admin", password)},
        {"headers": {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": password}},
        {"params": {"user": "admin", "password": password}},
    ):
        assert reader.post("/", content="SELECT count() > 0 FROM system.processes", **given).text == "1\n"


@pytest.mark.parametrize(
    "query",
    [
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a UInt8)",
        "INSERT INTO souk.x VALUES (1)",
        "INSERT INTO souk.x SELECT 1",
        "INSERT INTO FUNCTION file('/tmp/souk-x', 'CSV', 'a UInt8') VALUES (1)",
        "DROP DATABASE souk",
        "SET readonly = 0",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE 1",
        "SELECT 1; DROP DATABASE souk",
        "SELECT file('/etc/passwd')",
        "SELECT FiLe('/etc/passwd')",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "DESCRIBE TABLE file('/etc/passwd')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')",
        "SELECT * FROM remote('127.0.0.1', 'system.one')",
        "SELECT * FROM executable('ls', 'TSV', 'a String')",
        "SELECT * FROM merge('system', 'processes')",
        "SELECT * FROM system.merge('system', 'processes')",
        "SELECT * FROM `merge`('souk', '.*')",
        "SELECT * FROM loop('souk', 't')",
        "SELECT * FROM python('x')",
        "SELECT * FROM view(SELECT * FROM merge('souk', '.*'))",
        "EXPLAIN SELECT * FROM merge('souk', '.*')",
        "WITH x AS (SELECT * FROM merge('souk', '.*')) SELECT * FROM x",
        "SELECT 1 WHERE 'x' IN (SELECT file('/etc/passwd'))",
        "SELECT 1 IN system.processes",
        "SELECT * FROM system.processes",
        "SELECT * FROM `system`.`processes`",
        "SELECT * FROM system.query_log",
        "SHOW PROCESSLIST",
        "SELECT 1 UNION ALL SELECT count() FROM system.users",
        "SELECT * FROM `a\nb`.t",
        "SELECT 1 INTO OUTFILE '/tmp/souk-x'",
        "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
        "SELECT * REPLACE (file('/etc/passwd') AS a) FROM (SELECT 1 AS a)",
        "SELECT 1 AS a, 2 AS b ORDER BY a WITH FILL TO 3 INTERPOLATE (b AS file('/etc/passwd'))",
        "SELECT sum(1) OVER w FROM numbers(1) WINDOW w AS (PARTITION BY file('/etc/passwd'))",
        "SELECT number FROM numbers(1) LIMIT length(file('/etc/passwd'))",
        "SHOW TABLES FROM system WHERE file('/etc/passwd') = ''",
        "SHOW TABLES FROM system WHERE name IN (SELECT query FROM system.processes)",
        "SHOW TABLES FROM system LIMIT (SELECT count() FROM system.processes)",
        "SELECT formatRow('Template', 1)",
        "SELECT getServerSetting('path')",
        "SELECT hasColumnInTable('127.0.0.1', 'default', '', 'system', 'one', 'dummy')",
        "SELECT 1 FORMAT `Protobuf`",
        "EXPLAIN SELECT 1 FORMAT `Protobuf`",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
        "SELECT 1 SETTINGS max_memory_usage = 100000000000",
        "SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)",
    ],
)
def test_a_reader_can_only_read_and_only_tables(reader, query):
    answer = reader.post("/", content=query)

    assert answer.status_code in (400, 403, 404, 500), answer.text
    assert answer.headers["x-clickhouse-exception-code"] in ("62", "164", "358", "452", "497", "48")
    assert "root:" not in answer.text


def test_a_name_given_as_a_parameter_is_checked_too(reader):
    query = "SELECT * FROM {d:Identifier}.{t:Identifier} LIMIT 1"
    allowed = reader.post("/", content=query, params={"param_d": "system", "param_t": "one"})
    refused = reader.post("/", content=query, params={"param_d": "system", "param_t": "processes"})

    assert allowed.text == "0\n"
    assert refused.headers["x-clickhouse-exception-code"] == "497"
    assert reader.post("/", content="SELECT 1", params={"database": "system"}).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM numbers(3)",
        "WITH 1 AS x SELECT x SETTINGS max_threads = 1",
        "SHOW TABLES FROM system",
        "DESCRIBE TABLE system.one",
        "DESCRIBE (SELECT 1)",
        "EXISTS TABLE souk.nope",
        "EXPLAIN SELECT 1",
        "EXPLAIN PLAN actions = 1 SELECT 1",
        "EXPLAIN PIPELINE SELECT 1",
        "SHOW CREATE TABLE information_schema.tables",
        "SELECT count() FROM system.tables",
        "SELECT count() FROM information_schema.tables",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT name, value FROM system.settings LIMIT 1",
        "SELECT argMaxOrNull(1, 2), sumIf(1, 1), quantilesTDigest(0.5)(1), arrayReduce('sum', [1])",
        "SELECT arrayMap(x -> x + 1, [1]), CAST(1 AS String), 1::Int8, now() - INTERVAL 1 DAY, (1, 2).1",
        "SELECT CASE WHEN 1 THEN 2 END, EXTRACT(DAY FROM now()), TRIM(BOTH 'a' FROM 'ab'), EXISTS(SELECT 1)",
        "SELECT number % 2 AS a, grouping(a), sum(number) OVER () FROM numbers(4) GROUP BY ROLLUP(a, number)",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t",
    ],
)
def test_a_reader_can_ask_what_clients_and_analysts_ask(reader, query):
    answer = reader.post("/", content=query)

    assert answer.status_code == 200, answer.text
    assert answer.text


def test_get_never_writes(admin, table):
    answer = admin.get("/", params={"query": f"INSERT INTO {table} VALUES (1, 'x')"})

    assert answer.headers["x-clickhouse-exception-code"] == "164"
    assert admin.get("/", params={"query": f"TRUNCATE TABLE {table}"}).status_code == 500
    assert admin.get("/", params={"query": f"SELECT count() FROM {table}"}).text == "0\n"


def test_data_follow_the_query_in_the_url_or_in_the_body(admin, table):
    admin.post("/", params={"query": f"INSERT INTO {table} FORMAT TSV"}, content="1\ta\n2\tb\n")
    admin.post("/", content=f"INSERT INTO {table} (a, b) VALUES (3, 'c;'), (4, 'FORMAT')")
    answer = admin.post("/", content=f"INSERT INTO {table} FORMAT JSONEachRow\n" + '{"a":5,"b":"e"}')

    assert '"written_rows":"1"' in answer.headers["x-clickhouse-summary"]
    assert admin.post("/", content=f"SELECT b FROM {table} ORDER BY a").text.split() == [
        "a",
        "b",
        "c;",
        "FORMAT",
        "e",
    ]


def test_an_insert_of_no_rows_is_fine(admin, table):
    assert admin.post("/", params={"query": f"INSERT INTO {table} FORMAT RowBinary"}).status_code == 200
    assert (
        admin.post("/", content=f"INSERT INTO {table} SELECT number, 'x' FROM numbers(2)").status_code == 200
    )
    assert count(admin, table) == 2


def test_a_refused_row_gives_its_reason_and_inserts_nothing(admin, table):
    rows = "".join(f"{n}\tx\n" for n in range(150_000)) + "broken\tx\n"

    answer = admin.post("/", params={"query": f"INSERT INTO {table} FORMAT TSV"}, content=rows)

    assert answer.status_code == 400
    assert "broken" in answer.text
    assert count(admin, table) == 0


def test_rows_that_break_a_constraint_are_refused_whole(admin, table):
    admin.post("/", content=f"ALTER TABLE {table} ADD CONSTRAINT small CHECK a < 200")

    answer = admin.post(
        "/",
        params={"query": f"INSERT INTO {table} (a) FORMAT TSV"},
        content="\n".join(map(str, range(250))),
    )

    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (500, "469")
    assert "small" in answer.text
    assert "/proc" not in answer.text
    assert count(admin, table) == 0


def test_rows_for_too_many_partitions_are_refused_whole(admin, table):
    admin.post("/", content=f"CREATE TABLE {table}_p (a UInt64) ENGINE = MergeTree PARTITION BY a ORDER BY a")
    query = {"query": f"INSERT INTO {table}_p FORMAT RowBinary"}

    many = admin.post("/", params=query, content=b"".join(n.to_bytes(8, "little") for n in range(250)))
    few = admin.post("/", params=query, content=b"".join(n.to_bytes(8, "little") for n in range(50)))

    assert (many.status_code, many.headers["x-clickhouse-exception-code"]) == (500, "252")
    assert '"written_rows":"50"' in few.headers["x-clickhouse-summary"]
    assert count(admin, f"{table}_p") == 50


def test_a_failing_materialised_view_is_an_error_of_the_insert(admin, table):
    admin.post("/", content=f"CREATE TABLE {table}_u (a UInt64) ENGINE = MergeTree ORDER BY a")
    view = f"CREATE MATERIALIZED VIEW {table}_v TO {table}_u AS SELECT a + throwIf(a = 7) AS a FROM {table}"
    assert admin.post("/", content=view).status_code == 200
    query = {"query": f"INSERT INTO {table} (a) FORMAT TSV"}

    refused = admin.post("/", params=query, content="7\n")
    taken = admin.post("/", params=query, content="8\n")
    selected = admin.post("/", content=f"INSERT INTO {table} (a) SELECT 7")
    admin.post("/", content=f"DROP TABLE {table}_v")

    assert refused.headers["x-clickhouse-exception-code"] == "395"
    assert taken.status_code == 200
    assert selected.headers["x-clickhouse-exception-code"] == "395"
    assert admin.post("/", content=f"SELECT a FROM {table}_u").text == "8\n"


def test_an_insert_beyond_its_memory_is_refused_whole(admin, table):
    query = {"query": f"INSERT INTO {table} (a) FORMAT TSV", "max_memory_usage": "10000000"}

    answer = admin.post("/", params=query, content="1\n" * 3_000_000)

    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (500, "241")
    assert count(admin, table) == 0


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO {t} SELECT throwIf(number = 250000), '' FROM numbers(300000)",
        "INSERT INTO {t}_p SELECT number FROM numbers(250)",
        "INSERT INTO {t}_p VALUES (1), (300)",
        "CREATE TABLE {t} (a UInt8) ENGINE = MergeTree ORDER BY a",
        "CREATE TABLE {t}_x ENGINE = Log AS SELECT throwIf(number = 3) FROM numbers(5)",
        "ALTER TABLE {t} DROP COLUMN nope",
        "DROP TABLE {t}_nope",
    ],
)
def test_no_other_statement_fails_silently(admin, table, query):
    made = (
        f"CREATE TABLE {table}_p (a UInt64, CONSTRAINT small CHECK a < 200) ENGINE = MergeTree "
        "PARTITION BY a ORDER BY a"
    )
    assert admin.post("/", content=made).status_code == 200

    answer = admin.post("/", content=query.format(t=table))

    assert answer.status_code >= 400, answer.text
    assert answer.headers["x-clickhouse-exception-code"]
    assert count(admin, table) == count(admin, f"{table}_p") == 0


@pytest.mark.parametrize("size", [10, 300_000])
@pytest.mark.parametrize(
    "name",
    [
        "CSV",
        "CSVWithNames",
        "JSONEachRow",
        "Native",
        "ArrowStream",
        "Parquet",
        "RowBinaryWithNamesAndTypes",
        "Values",
    ],
)
def test_what_a_query_answers_can_be_inserted_in_every_format(admin, table, name, size):
    rows = f"SELECT number AS a, repeat('x', 50) AS b FROM numbers({size})"
    data = admin.post("/", content=f"{rows} FORMAT {name}").content

    answer = admin.post("/", params={"query": f"INSERT INTO {table} FORMAT {name}"}, content=data)

    assert answer.status_code == 200, answer.text
    assert f'"written_rows":"{size}"' in answer.headers["x-clickhouse-summary"]
    sums = "SELECT sum(a), sum(length(b)), uniqExact(a) FROM "
    assert admin.post("/", content=sums + table).text == admin.post("/", content=sums + f"({rows})").text


def test_settings_apply_to_an_insert_from_the_url_and_from_the_query(admin, table):
    row = '{"a":1,"b":"x","nope":2}'
    query = f"INSERT INTO {table} FORMAT JSONEachRow"
    refused = {"input_format_skip_unknown_fields": "0"}
    inline = f"INSERT INTO {table} SETTINGS input_format_skip_unknown_fields = 1 FORMAT JSONEachRow"

    assert admin.post("/", params={"query": query, **refused}, content=row).status_code == 400
    assert admin.post("/", params={"query": inline, **refused}, content=row).status_code == 200
    assert count(admin, table) == 1


def test_an_insert_takes_its_table_from_a_parameter_and_waits_when_it_is_asynchronous(admin, table):
    query = {"query": "INSERT INTO {t:Identifier} FORMAT TSV", "param_t": table, "async_insert": "1"}

    assert admin.post("/", params=query, content="1\tx\n").status_code == 200
    assert count(admin, table) == 1


def test_a_format_s_name_can_not_carry_a_query(admin, table):
    name = f"TSV; DROP TABLE {table}"

    answer = admin.post("/", params={"query": f"INSERT INTO {table}", "default_format": name}, content=b"")

    assert answer.headers["x-clickhouse-exception-code"] == "73"


def test_a_client_that_goes_away_inserts_nothing(admin, table):
    class Gone(Exception):
        pass

    def half():
        yield b"1\tx\n" * 1_000_000
        raise Gone

    with pytest.raises(Gone):
        admin.post("/", params={"query": f"INSERT INTO {table} FORMAT TSV"}, content=half())
    wait_until(lambda: 'pool="writer"} 0.0' in admin.get("/metrics").text)

    assert count(admin, table) == 0


def test_a_large_insert_is_one_part(admin, table):
    rows = "".join(f"{n}\tx\n" for n in range(200_000))

    admin.post("/", params={"query": f"INSERT INTO {table} FORMAT TSV"}, content=rows)

    parts = f"SELECT count(), sum(rows) FROM system.parts WHERE active AND table = '{table}'"
    assert admin.post("/", content=parts).text == "1\t200000\n"


def test_an_insert_in_chunks_has_no_limit_of_size(admin, table):
    chunks = (
        b"".join(b"%d\t%s\n" % (n, b"y" * 100) for n in range(k, k + 1000)) for k in range(0, 300_000, 1000)
    )

    answer = admin.post("/", params={"query": f"INSERT INTO {table} FORMAT TSV"}, content=chunks)

    assert answer.status_code == 200, answer.text
    assert count(admin, table) == 300_000


def test_a_body_may_be_compressed(admin, table):
    row = b"7\tx\n"
    for encoding, pack in (
        ("gzip", gzip.compress),
        ("lz4", lz4.frame.compress),
        ("zstd", zstandard.compress),
    ):
        query = {"query": f"INSERT INTO {table} FORMAT TSV"}
        admin.post("/", params=query, content=pack(row), headers={"Content-Encoding": encoding})
    admin.post("/", params=query | {"decompress": "1"}, content=native_block(row))
    broken = admin.post("/", params=query | {"decompress": "1"}, content=native_block(row)[:-1])

    assert count(admin, table) == 4
    assert broken.headers["x-clickhouse-exception-code"] == "271"


@pytest.mark.parametrize("rows", [1, 1_000_000])
def test_an_answer_may_be_compressed(reader, rows):
    query = {"query": f"SELECT number FROM numbers({rows})"}
    plain = reader.get("/", params=query).content

    for encoding in ("gzip", "deflate"):
        packed = reader.get(
            "/", params=query | {"enable_http_compression": "1"}, headers={"Accept-Encoding": encoding}
        )
        assert packed.headers["content-encoding"] == encoding
        assert packed.content == plain
    for encoding in ("lz4", "zstd"):
        asked = query | {"enable_http_compression": "1"}
        with reader.stream("GET", "/", params=asked, headers={"Accept-Encoding": encoding}) as answer:
            assert b"".join(decompress(answer.iter_raw(), encoding)) == plain
    native = reader.get("/", params=query | {"compress": "1"}).content
    assert b"".join(decompress([native], "native")) == plain


def test_an_error_in_the_midst_of_an_answer_cuts_it_and_says_why(reader):
    query = "SELECT number, throwIf(number = 3000000) FROM numbers(4000000)"
    with reader.stream("POST", "/", content=query) as answer:
        tag = answer.headers["x-clickhouse-exception-tag"]
        got: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(answer.iter_raw())
    end = b"".join(got)[-2000:].decode()

    assert f"__exception__\r\n{tag}\r\nCode: 395. DB::Exception" in end


def test_wait_end_of_query_gives_the_error_instead_of_half_an_answer(reader):
    query = "SELECT number, throwIf(number = 2000000) FROM numbers(3000000)"

    answer = reader.post("/", content=query, params={"wait_end_of_query": "1"})

    assert answer.headers["x-clickhouse-exception-code"] == "395"


def test_a_form_holds_the_query_and_its_parameters(reader):
    form = {"query": (None, "SELECT {a:String}"), "param_a": (None, "x" * 300_000)}

    assert len(reader.post("/", files=form).text) == 300_001


@pytest.mark.parametrize(("rows", "codec"), [(1_000, "LZ4"), (4_000_000, "ZSTD(1)")])
def test_small_parts_are_packed_quickly_and_large_ones_well(admin, rows, codec):
    table = f"packed_{rows}"
    admin.post("/", content=f"CREATE TABLE {table} (a String CODEC(Default)) ENGINE MergeTree ORDER BY ()")
    admin.post("/", content=f"INSERT INTO {table} SELECT randomString(16) FROM numbers({rows})")
    admin.post("/", content=f"OPTIMIZE TABLE {table} FINAL")
    found = f"SELECT DISTINCT default_compression_codec FROM system.parts WHERE active AND table = '{table}'"

    assert admin.post("/", content=found).text == f"{codec}\n"
    admin.post("/", content=f"DROP TABLE {table}")


def test_a_session_keeps_settings_and_temporary_tables_and_nobody_else_sees_them(admin):
    session = {"session_id": uuid.uuid4().hex}
    admin.post("/", content="CREATE TEMPORARY TABLE mine (a UInt8)", params=session)
    admin.post("/", content="INSERT INTO mine VALUES (1), (2)", params=session)
    admin.post("/", content="SET max_block_size = 7", params=session)
    settings = "SELECT getSetting('max_block_size'), getSetting('max_threads')"

    assert admin.post("/", content="SELECT sum(a) FROM mine", params=session).text == "3\n"
    assert admin.post("/", content=settings, params=session | {"max_threads": "101"}).text == "7\t101\n"
    assert admin.post("/", content=settings, params=session).text.startswith("7\t")
    assert "101" not in admin.post("/", content=settings, params=session).text
    assert admin.post("/", content="SELECT * FROM mine").status_code == 404
    assert not admin.post("/", content=settings).text.startswith("7\t")


def test_a_session_survives_a_refused_row(admin):
    session = {"session_id": uuid.uuid4().hex}
    admin.post("/", content="CREATE TEMPORARY TABLE mine (a UInt8)", params=session)

    assert admin.post("/", content="INSERT INTO mine FORMAT TSV\nx\n", params=session).status_code == 400
    assert admin.post("/", content="INSERT INTO mine (b) FORMAT TSV\n1\n", params=session).status_code >= 400
    assert admin.post("/", content="SELECT count() FROM mine", params=session).text == "0\n"


def test_a_session_serves_one_request_at_a_time(admin):
    session = {"session_id": uuid.uuid4().hex}
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(admin.post, "/", content="SELECT sleep(2)", params=session)
        running = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep(2)%'"
        wait_until(lambda: admin.post("/", content=running).text == "1\n")
        second = admin.post("/", content="SELECT 1", params=session)

        assert second.headers["x-clickhouse-exception-code"] == "373"
        assert first.result().status_code == 200
    missing = admin.post("/", content="SELECT 1", params={"session_id": "never", "session_check": "1"})
    assert missing.headers["x-clickhouse-exception-code"] == "372"


@pytest.mark.parametrize("queries", [240, pytest.param(1500, marks=pytest.mark.nightly)])
def test_parameters_of_concurrent_queries_never_mix(reader, queries):
    """Threads that share a chdb session get each other's parameters: sellers would see others' figures."""

    def ask(number: int) -> bool:
        mine = f"seller-{number}"
        params = {"param_seller": mine, "param_n": str(number)}
        query = "SELECT {seller:String}, {n:UInt32}, 0 FROM numbers(200000) WHERE number % 50000 = 1"
        answer = reader.post("/", content=query, params=params)
        return answer.text == f"{mine}\t{number}\t0\n" * 4

    with ThreadPoolExecutor(24) as threads:
        assert all(threads.map(ask, range(queries)))


SLOW = (
    "SELECT count() FROM numbers(1900000000) WHERE sipHash128(number) = 'a' "
    "SETTINGS timeout_overflow_mode = 'break', max_threads = 1"
)
"""A reader's query that succeeds at its time limit."""


def test_a_slow_query_delays_neither_others_nor_ping(reader):
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(reader.post, "/", content=SLOW, params={"max_execution_time": "3"})
        for _ in range(20):
            assert reader.get("/ping").text == "Ok.\n"
            assert reader.post("/", content="SELECT 1").text == "1\n"
        assert not slow.done()
        assert slow.result().status_code == 200


def test_analysts_make_neither_the_api_nor_the_writers_wait(reader, admin):
    def ask(_: int) -> str:
        answer = reader.post("/", content=SLOW, params={"max_execution_time": "0.3"})
        return answer.headers.get("x-clickhouse-exception-code", "")

    with ThreadPoolExecutor(90) as threads:
        answers = threads.map(ask, range(90))
        wait_until(lambda: 'pool="reader"} 30.0' in admin.get("/metrics").text)
        assert admin.post("/", content="SELECT 1").text == "1\n"
        assert reader.post("/", content="SELECT 1", params={"user": "serving"}).text == "1\n"
        assert 'pool="reader"} 0.0' not in admin.get("/metrics").text
        codes = list(answers)

    assert set(codes) == {"", "202"}


def test_a_client_that_goes_away_ends_its_query(admin):
    mark = uuid.uuid4().hex
    running = (
        f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    )
    query = f"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number, '{mark}') = 1"
    with pytest.raises(httpx.ReadTimeout):
        admin.post("/", content=query, timeout=1)

    wait_until(lambda: admin.post("/", content=running).text == "0\n")


def test_a_client_that_stops_reading_ends_its_query(admin):
    mark = uuid.uuid4().hex
    running = (
        f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    )
    with admin.stream("POST", "/", content=f"SELECT number, '{mark}' FROM numbers(10000000000)") as answer:
        chunks = answer.iter_raw()  # the connection would close if the response were garbage-collected
        next(chunks)
        wait_until(lambda: admin.post("/", content=running).text == "1\n")

    wait_until(lambda: admin.post("/", content=running).text == "0\n")


def test_a_client_that_goes_away_in_the_midst_of_its_data_inserts_nothing(admin, table):
    def half():
        yield b"1\tx\n" * 600_000
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        admin.post("/", params={"query": f"INSERT INTO {table} FORMAT TSV"}, content=half())

    gone = "SELECT count() FROM system.processes WHERE query_kind = 'Insert'"
    wait_until(lambda: admin.post("/", content=gone).text == "0\n")
    assert count(admin, table) == 0


def test_a_client_that_goes_away_ends_only_its_own_query_under_an_id_that_two_chose(reader, admin):
    same = {"query_id": uuid.uuid4().hex}
    with ThreadPoolExecutor(1) as threads:
        kept = threads.submit(admin.post, "/", content="SELECT sleepEachRow(1) FROM numbers(3)", params=same)
        running = (
            f"SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE '% {same['query_id']}'"
        )
        wait_until(lambda: admin.post("/", content=running).text == "1\n")
        slow = "SELECT count() FROM numbers(1900000000) WHERE sipHash64(number, number + 1) = 1"
        with pytest.raises(httpx.ReadTimeout):
            reader.post("/", content=slow, params=same, timeout=1)

        assert kept.result().status_code == 200


def test_a_query_is_killed_by_the_id_that_its_client_gave(admin):
    query_id = uuid.uuid4().hex
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(
            admin.post,
            "/",
            content="SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1",
            params={"query_id": query_id},
        )
        running = (
            f"SELECT count() FROM system.processes WHERE endsWith(Settings['log_comment'], ' {query_id}')"
        )
        wait_until(lambda: admin.post("/", content=running).text == "1\n")
        admin.post("/", content=f"KILL QUERY WHERE query_id = '{query_id}'")

        assert slow.result().headers["x-clickhouse-exception-code"] == "394"


def test_concurrent_inserts_all_arrive(admin, table):
    errors: list[str] = []

    def insert(start: int) -> None:
        for n in range(start, start + 20):
            rows = "".join(f"{n * 100 + k}\tx\n" for k in range(100))
            answer = admin.post("/", params={"query": f"INSERT INTO {table} FORMAT TSV"}, content=rows)
            if answer.status_code != 200:
                errors.append(answer.text)

    threads = [threading.Thread(target=insert, args=(k * 20,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert admin.post("/", content=f"SELECT count(), uniqExact(a) FROM {table}").text == "16000\t16000\n"


def test_the_front_counts_what_it_does(reader):
    reader.post("/", content="SELECT 1")

    assert 'souk_clickhouse_seconds_count{kind="select",user="reader"}' in reader.get("/metrics").text
