"""Readers can't access files, passwords or other servers. Each protection is tested alone."""

import os
from pathlib import Path

import httpx
import psutil
import pytest

from clickhouse.sql_guard import allowlists
from common.settings import Settings

CANARY = "this line is in a file that no query may read"


@pytest.fixture
def landlock() -> None:
    """Skips a test where the kernel has no Landlock."""
    import landlockpy

    if not landlockpy.supported():
        pytest.skip("this kernel has no Landlock")


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("private") / "canary"
    path.write_text(CANARY)
    return path


STRUCTURE = "x String, y String {kind} file(\\'{file}\\')"

READS_A_FILE = {
    # A column's expression inside the string that describes a table.
    "values, ALIAS": "SELECT y FROM values('" + STRUCTURE.replace("{kind}", "ALIAS") + "', ('a'))",
    "values, DEFAULT": "SELECT y FROM values('" + STRUCTURE.replace("{kind}", "DEFAULT") + "', ('a', 'b'))",
    "values, MATERIALIZED": "SELECT y FROM values('"
    + STRUCTURE.replace("{kind}", "MATERIALIZED")
    + "', ('a'))",
    "values, EPHEMERAL": "SELECT y FROM values('" + STRUCTURE.replace("{kind}", "EPHEMERAL") + "', ('a'))",
    "values, alias in lower case": "SELECT y FROM values('x String, y alias file(\\'{file}\\')', ('a'))",
    "values, escaped letters": "SELECT y FROM values('x String, y \\x41LIAS file(\\'{file}\\')', ('a'))",
    "values, a line break": "SELECT y FROM values('x String, y\nALIAS file(\\'{file}\\')', ('a'))",
    "values, put together": "SELECT y FROM values(concat('x String, y AL', 'IAS file(\\'{file}\\')'), ('a'))",
    "values, a comment between": "SELECT y FROM values('x String, y/**/ALIAS/**/file(\\'{file}\\')', ('a'))",
    "values, from a heredoc": "SELECT y FROM values($a$x String, y String ALIAS file('{file}')$a$, ('a'))",
    "generateRandom": "SELECT y FROM generateRandom('x String, y String ALIAS file(\\'{file}\\')') LIMIT 1",
    "null": "SELECT y FROM null('x String, y String ALIAS file(\\'{file}\\')') UNION ALL SELECT ''",
    "format": "SELECT y FROM format(TSV, 'x String, y String ALIAS file(\\'{file}\\')', 'a')",
    "format, DEFAULT": (
        "SELECT y FROM format(JSONEachRow, 'x String, y String DEFAULT file(\\'{file}\\')', '{}')"
    ),
    "inside of view": (
        "SELECT y FROM view(SELECT y FROM values('x Int8, y String ALIAS file(\\'{file}\\')', (1)))"
    ),
    "inside of DESCRIBE": "DESCRIBE TABLE values('x Int8, y String ALIAS file(\\'{file}\\')', (1))",
    "inside of IN": "SELECT 'a' IN (SELECT y FROM values('x Int8, y String ALIAS file(\\'{file}\\')', (1)))",
    # Blanks, quotes and tags that the engine and our tokenizer read differently.
    "a no-break space": "\u00a0SHOW TABLES FROM system WHERE name='one' AND toInt32(file\u00a0('{file}'))=1",
    "a byte order mark": "\ufeffSHOW TABLES FROM system WHERE name='one' AND toInt32(file('{file}'))=1",
    "a thin space": "SELECT\u2009file\u2009('{file}')",
    "an ideographic space": "SELECT file\u3000('{file}')",
    "a zero-width space": "SELECT file\u200b('{file}')",
    "curly quotes": "SELECT file(\u2018{file}\u2019)",
    "a curly quoted name": "SELECT \u201cfile\u201d('{file}')",
    "a heredoc": "SELECT file($x$){file}$x$)",
    "an empty tag": "SHOW TABLES WHERE name = $$ $$ AND file($${file}$$) = ''",
    "a Unicode minus as a comment": "SHOW TABLES \u2212\u2212 '\n WHERE file('{file}') = '' \u2212\u2212 '",
    "a comment within a comment": "SHOW TABLES /* /* */ WHERE file('{file}') = '' /* */ */",
    "a vertical tab": "\x0bSHOW TABLES FROM system WHERE file\x0b('{file}') = ''",
    "a NUL": "SELECT file\x00('{file}')",
    # Statements whose clauses the tree does not show.
    "SHOW in EXPLAIN": "EXPLAIN SHOW TABLES FROM system WHERE file('{file}') = ''",
    "SHOW in EXPLAIN AST": "EXPLAIN AST SHOW TABLES FROM system WHERE file('{file}') = ''",
    "SHOW COLUMNS": "SHOW COLUMNS FROM one FROM system WHERE file('{file}') = ''",
    "SHOW FUNCTIONS": "SHOW FUNCTIONS LIKE file('{file}')",
    "SHOW SETTINGS": "SHOW SETTINGS LIKE file('{file}')",
    "a window": "SELECT sum(1) OVER (ORDER BY file('{file}')) FROM numbers(1)",
    "a COLUMNS transformer": "SELECT COLUMNS('.') APPLY(x -> file(x)) FROM (SELECT '{file}' AS a)",
    "a quoted name": "SELECT `file`('{file}')",
    "another case": "SELECT FILE('{file}')",
    "a parameter": "SELECT {f:Identifier}('{file}')",
    "an aggregate over it": "SELECT arrayMap(x -> file(x), ['{file}'])",
    # Functions by their names, which are identifiers or strings.
    "a function by name": "SELECT arrayReduce('file', ['{file}'])",
    "by name": "SELECT arrayMap(file, ['{file}'])",
    "by its quoted name": "SELECT arrayMap(`file`, ['{file}'])",
    "by its name in double quotes": "SELECT arrayMap(\"file\", ['{file}'])",
    "by its name in brackets": "SELECT arrayMap((file), ['{file}'])",
    "by its name with an alias": "SELECT arrayMap(file AS f, ['{file}'])",
    "by an alias of its name": "WITH file AS f SELECT arrayMap(f, ['{file}'])",
    "by a parameter": "SELECT arrayMap({f:Identifier}, ['{file}'])",
    "by name, other functions": "SELECT arrayExists(file, ['{file}'])",
    "by name, to filter": "SELECT arrayFilter(file, ['{file}'])",
    "by name, to sort": "SELECT arraySort(file, ['{file}'])",
    "by name, in a fold": "SELECT arrayFold(file, ['{file}'], '')",
    "by name, of a map": "SELECT mapApply(file, map('{file}', 1))",
    "by name, within a lambda": "SELECT arrayMap(x -> arrayMap(file, [x]), ['{file}'])",
    "by name, in a lambda with a name": "WITH (x -> arrayMap(file, [x])) AS f SELECT f('{file}')",
    "by name, in a subquery": "SELECT * FROM (SELECT arrayMap(file, ['{file}']))",
    "by name, after a pipe": "FROM numbers(1) |> EXTEND arrayMap(file, ['{file}']) AS a",
    "by name, a column elsewhere": "SELECT arrayMap(file, ['{file}']), (SELECT file FROM (SELECT 1 AS file))",
    "by name, with APPLY": "SELECT * APPLY file FROM (SELECT '{file}')",
    "by name, in COLUMNS": "SELECT COLUMNS('a') APPLY(file) FROM (SELECT '{file}' AS a)",
    "an aggregate by name": "SELECT arrayReduce('aggThrow(1)', ['{file}'])",
    "an aggregate by a computed name": "SELECT arrayReduce(concat('agg', 'Throw(1)'), ['{file}'])",
    "an aggregate by a parameter": "SELECT initializeAggregation({f:String}, '{file}')",
    "arrayReduce by name": "SELECT arrayMap(arrayReduce, ['file'], [['{file}']])",
    "the state of an aggregate": "SELECT CAST(unhex('00'), 'AggregateFunction(aggThrow(1), String)')",
    "a computed type": "SELECT CAST('{file}', concat('Str', 'ing'))",
    "a state in a structure": "SELECT * FROM values('x AggregateFunction(sum, UInt8)', ('{file}'))",
    # Settings that become parts of the query.
    "filter": "SELECT 1 AS a SETTINGS filter = 'file(\\'{file}\\') != 1'",
    "select": "SELECT 1 AS a SETTINGS select = 'file(\\'{file}\\')'",
    "filter inside": "SELECT * FROM (SELECT 1 AS a SETTINGS filter = 'a = 2')",
    "select inside": "SELECT * FROM (SELECT 1 AS a SETTINGS select = 'a + 1 AS b')",
    "a quoted select inside": "SELECT * FROM (SELECT 1 AS a SETTINGS `select` = 'a + 1 AS b')",
    "limit inside": "SELECT * FROM (SELECT 1 AS a SETTINGS limit = 1)",
    "select in EXPLAIN": "EXPLAIN SELECT 1 AS a SETTINGS select = 'a + 1 AS b'",
    "SET filter": "SET filter = 'file(\\'{file}\\') != 1'",
    "SET select in EXPLAIN": "EXPLAIN SELECT * FROM (SELECT 1 AS a SETTINGS select = '(SELECT 1)')",
    # Table functions, tables and statements that access other data.
    "file as a table": "SELECT * FROM file('{file}', 'LineAsString', 'line String')",
    "file as a table of the default database": "SELECT * FROM default.`{file}`",
    "file as a table by its path": "SELECT * FROM `{file}`",
    "fileCluster": "SELECT * FROM fileCluster('default', '{file}', 'LineAsString')",
    "merge": "SELECT * FROM merge(REGEXP('.*'), '.*')",
    "loop": "SELECT * FROM loop(file('{file}', 'LineAsString')) LIMIT 1",
    "mergeTreeIndex": "SELECT * FROM mergeTreeIndex('souk', 't')",
    "mergeTreeProjection": "SELECT * FROM mergeTreeProjection('souk', 't', 'p')",
    "input": "SELECT * FROM input('x String ALIAS file(\\'{file}\\')')",
    "executable": "SELECT * FROM executable('cat', 'TSV', 'a String', (SELECT 1))",
    "remote": "SELECT * FROM remote('127.0.0.1', view(SELECT file('{file}')))",
    "remoteSecure": "SELECT * FROM remoteSecure('127.0.0.1', system.one)",
    "cluster": "SELECT * FROM cluster('default', system.one)",
    "clusterAllReplicas": "SELECT * FROM clusterAllReplicas('default', system.one)",
    "url": "SELECT * FROM url('file://{file}', 'LineAsString')",
    "urlCluster": "SELECT * FROM urlCluster('default', 'http://127.0.0.1:1/', 'CSV')",
    "s3": "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'CSV', 'a String')",
    "postgresql": "SELECT * FROM postgresql('127.0.0.1:5432', 'd', 't', 'u', 'p')",
    "mysql": "SELECT * FROM mysql('127.0.0.1:3306', 'd', 't', 'u', 'p')",
    "EXPLAIN TABLE OVERRIDE": "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "sqlite": "SELECT * FROM sqlite('{file}', 't')",
    "hdfs": "SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'CSV')",
    "dictionary": "SELECT * FROM dictionary('souk.d')",
    "dictGet": "SELECT dictGet('souk.d', 'a', 1)",
    "python": "SELECT * FROM Python(os)",
    "a view of one's own": "CREATE VIEW v AS SELECT file('{file}')",
    "a function of one's own": "CREATE FUNCTION f AS (x) -> file(x)",
    "a temporary table": "CREATE TEMPORARY TABLE t AS SELECT file('{file}')",
    "SET ROLE": "SET ROLE ALL",
    "INTO OUTFILE": "SELECT 1 INTO OUTFILE '{file}' TRUNCATE FORMAT TSV",
    "FROM INFILE": "INSERT INTO t FROM INFILE '{file}' FORMAT LineAsString",
    "SETTINGS inside": "SELECT * FROM (SELECT 1 SETTINGS format_schema = '{file}')",
    "BACKUP": "BACKUP TABLE system.one TO File('{file}')",
    "RESTORE": "RESTORE TABLE souk.t FROM File('{file}')",
    "ATTACH": "ATTACH TABLE t FROM '{file}' (a Int8) ENGINE = MergeTree ORDER BY a",
    "a parallel WITH": "SELECT 1 PARALLEL WITH CREATE TABLE b (x Int8) ENGINE = Memory",
    "EXECUTE AS": "EXECUTE AS admin SELECT file('{file}')",
}


@pytest.mark.parametrize("name", READS_A_FILE)
def test_a_reader_reads_no_file_by(name: str, reader: httpx.Client, canary: Path) -> None:
    query = READS_A_FILE[name].replace("{file}", str(canary))

    answer = reader.post("/", content=query.encode(), params={"param_f": "file"})

    assert answer.status_code in (400, 403, 404, 452, 500, 501), answer.text
    assert answer.headers["x-clickhouse-exception-code"] in {"47", "48", "62", "63", "164", "358", "497"}, (
        answer.text
    )
    assert CANARY not in answer.text
    assert canary.read_text() == CANARY


@pytest.mark.parametrize("name", ["select", "filter", "implicit_table_at_top_level", "limit", "offset"])
def test_a_setting_that_becomes_a_part_of_the_query_is_refused(name: str, reader: httpx.Client) -> None:
    value = "1 AS injected"

    in_url = reader.post("/", content="SELECT 1 AS a", params={name: value})
    in_set = reader.post("/", content=f"SET {name} = '{value}'")
    in_clause = reader.post("/", content=f"SELECT 1 AS a SETTINGS {name} = '{value}'")

    codes = [answer.headers["x-clickhouse-exception-code"] for answer in (in_url, in_set, in_clause)]
    assert codes == ["164", "497", "164"]


@pytest.mark.parametrize("name", ["order", "sort", "page"])
def test_a_setting_that_a_later_engine_may_have_is_refused(name: str, reader: httpx.Client) -> None:
    for answer in (
        reader.post("/", content="SELECT 1 AS a", params={name: "a"}),
        reader.post("/", content=f"SELECT 1 AS a SETTINGS {name} = 'a'"),
    ):
        assert answer.headers["x-clickhouse-exception-code"] in {"115", "164"}, answer.text


def test_only_a_higher_order_function_takes_the_name_of_a_function(admin: httpx.Client) -> None:
    names = admin.post("/", content="SELECT name FROM system.functions WHERE NOT is_aggregate").text.split()
    calls = (
        "{}(upper, ['a'])",
        "{}(upper, map('a', 'b'))",
        "{}(['a'], upper)",
        "{}(upper, 'a')",
        "{}(upper)",
    )
    # The engine looked for a column or a table, or did not look.
    others = ("Unknown expression", "(SYNTAX_ERROR)", "is deprecated")
    taking = set()
    for name in {name for name in names if allowlists.is_function(name)}:
        queries = [f"SELECT ignore({call.format(name)})" for call in calls]
        answers = [admin.post("/", content=query, params={"database": "system"}).text for query in queries]
        if any(not any(other in answer for other in others) for answer in answers):
            taking.add(name.lower())

    assert taking == allowlists.HIGHER_ORDER_FUNCTIONS


def test_a_column_may_have_the_name_of_a_function(reader: httpx.Client) -> None:
    source = "(SELECT ['b', 'a'] AS file, 3 AS position, 'x' AS extract) AS t"
    query = f"SELECT arraySort(t.file), sum(position), max(upper(extract)) FROM {source} GROUP BY ALL"

    assert reader.post("/", content=query).text == "['a','b']\t3\tX\n"
    assert reader.post("/", content="SELECT arrayMap(upper, ['a'])").text == "['A']\n"
    refused = reader.post("/", content=f"SELECT arraySort(file) FROM {source}")
    assert "put" in refused.text or "t.file" in refused.text, refused.text


def test_a_reader_can_use_no_table_function_that_is_on_no_list(reader: httpx.Client) -> None:
    names = reader.post("/", content="SELECT name FROM system.table_functions").text.split()
    others = {name for name in names if name.lower() not in allowlists.TABLE_FUNCTIONS}

    others.discard("viewIfPermitted")  # has a syntax of its own
    patterns = ("{}()", "`{}`(1)", "view(SELECT * FROM {}())")
    calls = ["viewIfPermitted(SELECT 1 AS a ELSE null('a UInt8'))"]
    calls += [pattern.format(name) for name in others for pattern in patterns]
    answers = {call: reader.post("/", content=f"SELECT * FROM {call}") for call in calls}
    codes = {call: answer.headers.get("x-clickhouse-exception-code") for call, answer in answers.items()}
    assert {"merge", "loop", "mergeTreeTextIndex", "remote", "clusterAllReplicas"} <= others
    assert {call: code for call, code in codes.items() if code != "497"} == {}


@pytest.mark.parametrize("name", ["processes", "query_log", "users", "grants", "zookeeper", "query_cache"])
def test_a_reader_reads_no_table_of_system_that_is_on_no_list(name: str, reader: httpx.Client) -> None:
    for expression in ("* FROM system.{}", "1 IN system.{}", "1 IN SYSTEM.`{}`"):
        refused = reader.post("/", content=f"SELECT {expression.format(name)}")
        assert refused.headers["x-clickhouse-exception-code"] == "497", refused.text


def test_a_role_or_another_user_in_the_request_gives_no_rights(reader: httpx.Client) -> None:
    for params in ({"role": "admin"}, {"quota_key": "admin"}, {"role": "default"}):
        refused = reader.post("/", content="CREATE TABLE souk.mine (a Int8) ORDER BY a", params=params)
        assert refused.headers["x-clickhouse-exception-code"] in ("164", "497"), refused.text


def test_a_structure_that_a_parameter_gives_is_checked_each_time(reader: httpx.Client) -> None:
    query = "SELECT * FROM values({s:String}, ('a'))"
    harmless, harmful = "x String", "x String, y String ALIAS file('/etc/passwd')"

    for _ in range(2):
        assert reader.post("/", content=query, params={"param_s": harmless}).text == "a\n"
        refused = reader.post("/", content=query, params={"param_s": harmful})
        assert refused.headers["x-clickhouse-exception-code"] == "497", refused.text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT x, y FROM values('x String, y Enum8(\\'a\\' = 1)', ('b', 'a'))",
        "SELECT * FROM values((1, 'default'), (2, 'ALIAS'))",
        "SELECT `b c` FROM generateRandom('a Array(Nullable(Int8)), `b c` Decimal(9, 2)') LIMIT 1",
        "SELECT 'café', 1 AS `straße` -- naïve\n/* “quoted” */",
        "SELECT 1 AS alias, 2 AS default_value",
        "SHOW TABLES FROM system LIKE '%(%'",
    ],
)
def test_a_reader_still_asks_what_looks_similar(query: str, reader: httpx.Client) -> None:
    answer = reader.post("/", content=query)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM file('{file}', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1', 'system.one')",
        "SELECT * FROM postgresql('127.0.0.1:5432', 'd', 't', 'u', 'p')",
        "CREATE TABLE souk.f (a String) ENGINE = File(CSV)",
        "CREATE TABLE souk.u (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)",
        "INSERT INTO FUNCTION file('{file}', 'CSV', 'a String') SELECT 'x'",
        "BACKUP TABLE system.one TO File('{file}')",
        "CREATE USER someone",
        "GRANT SOURCES ON *.* TO default",
    ],
)
def test_the_engine_grants_not_even_an_admin(query: str, admin: httpx.Client, canary: Path) -> None:
    answer = admin.post("/", content=query.format(file=canary))

    assert answer.headers["x-clickhouse-exception-code"] == "497", answer.text
    assert canary.read_text() == CANARY


@pytest.mark.usefixtures("landlock")
def test_the_kernel_lets_the_process_read_only_its_own_files(
    admin: httpx.Client, canary: Path, clickhouse_server: Settings
) -> None:
    secrets = clickhouse_server.home / "secrets.toml"
    secrets.write_text(f"# {CANARY}\n")  # other tests read this file as settings

    for path in (canary, secrets, "/etc/hostname", "/proc/self/environ", f"/proc/{os.getpid()}/environ"):
        answer = admin.post("/", content=f"SELECT file('{path}')")
        assert answer.status_code == 500, f"{path}: {answer.text}"
        assert "Permission denied" in answer.text
    own = clickhouse_server.home / "clickhouse" / "config" / "config.xml"
    assert "max_server_memory_usage" in admin.post("/", content=f"SELECT file('{own}')").text


@pytest.mark.usefixtures("landlock")
def test_every_thread_of_the_process_is_confined(clickhouse_server: Settings, admin: httpx.Client) -> None:
    admin.post("/", content="SELECT sum(number) FROM numbers_mt(10000000)")
    port = clickhouse_server.port("clickhouse")
    (server,) = {
        process
        for process in psutil.Process().children()
        for connection in process.net_connections("tcp")
        if connection.laddr.port == port
    }

    threads = list(Path(f"/proc/{server.pid}/task").glob("*/status"))
    assert len(threads) > 1
    for status in threads:
        assert "NoNewPrivs:\t1" in status.read_text(), "Landlock was applied after this thread began"
