"""Clients that stall do not block others, and are disconnected after a timeout."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from clickhouse.sql_guard.errors import DatabaseError
from common.http_protocol import HEAD_TIMEOUT_S
from common.settings import LOOPBACK, Settings
from local.embedded_clickhouse.app import THREADS
from local.embedded_clickhouse.streams import BodyStream
from tests.integration.conftest import clickhouse_settings, running_clickhouse

PATIENCE_S = 25
"""Less than the timeouts of a stalled client and of a reader's query."""


@pytest.fixture
def reader(clickhouse_server: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=clickhouse_server.clickhouse, timeout=PATIENCE_S, trust_env=False) as client:
        yield client


def connection(settings: Settings, sent: bytes) -> socket.socket:
    opened = socket.create_connection((LOOPBACK, settings.port("clickhouse")), timeout=60)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    opened.sendall(sent)
    return opened


@pytest.mark.parametrize("kind", [b"text/plain", b"multipart/form-data; boundary=b"])
def test_bodies_that_stall_take_no_thread_of_the_readers(
    reader: httpx.Client, clickhouse_server: Settings, kind: bytes
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: %b\r\nContent-Length: 3000000\r\n\r\n" % kind
    half = b"SELECT '" + b"x" * 1_500_000
    with ExitStack() as stack:
        for _ in range(THREADS["reader"] + 1):
            stack.enter_context(connection(clickhouse_server, head + half))

        for _ in range(20):  # the server receives the halves meanwhile
            assert reader.post("/", content="SELECT 1").text == "1\n"
            time.sleep(0.05)


def test_responses_that_nobody_reads_give_way_to_other_readers(
    reader: httpx.Client, clickhouse_server: Settings
) -> None:
    query = b"SELECT number FROM numbers(2000000000)"
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(query)
    with ExitStack() as stack:
        for _ in range(THREADS["reader"]):
            stack.enter_context(connection(clickhouse_server, head + query)).recv(1000)

        assert reader.post("/", content="SELECT 1").text == "1\n"


def test_a_function_that_nothing_ends_is_refused(reader: httpx.Client) -> None:
    for call in (
        "length(h3kRing(599405990164561919, 1000))",
        "arrayLevenshteinDistance(range(60000), range(60000))",
        "editDistance(repeat('a', 60000), repeat('b', 60000))",
        "levenshteinDistance('a', 'b')",
        "multiFuzzyMatchAny('a', 1, ['b'])",
        "arrayReduceInRanges('groupUniqArray', [(1, 2)], range(60000))",
        "seriesDecomposeSTL(arrayMap(x -> x % 13, range(1000000)), 13)",
        "polygonsUnionCartesian([[[(0., 0.)]]], [[[(0., 0.)]]])",
        "kolmogorovSmirnovTest('two-sided', 'exact')(number, number % 2) FROM numbers(100000)",
        "length(URLHierarchy('http://a/' || repeat('a/', 100000)))",
        "printf('%1000000000d', 1)",
        "hasAny(range(1000000), range(1000000, 2000000))",
        "hasAll(range(1000000), arrayMap(x -> -x, range(1000000)))",
        f"hasSubstr(range(1000000), {[1] * 500})",
        "sleep(3)",
        "sleepEachRow(1) FROM numbers(3)",
        "arrayMap(sleep, [3])",
        "arrayMap(h3kRing, [599405990164561919], [1000])",
        "arrayMap(hasAny, [range(1000000)], [range(1000000)])",
        "position(repeat('a', 8000000), repeat('a', 60000) || 'b')",
        "arrayMap(position, [repeat('a', 8000000)], [repeat('a', 60000) || 'b'])",
        f"position(repeat('a', 1000000), '{'a' * 2000}')",
        "position(materialize(repeat('a', 1000000)), toString(number)) FROM numbers(9)",
        "match(repeat('a', 1000000), '(a?){500}a{500}b')",
        "match('a', '(a?){500}a{500}b')",
        "match('a', concat('(a?){5', '00}a{500}b'))",
        "replaceRegexpAll(repeat('a', 1000000), 'a+b|a', '')",
        "extractAll(arrayStringConcat(range(100000)), 'a+b|a')",
        "countMatches(leftPad('', 1000000, 'a'), 'a+b|a')",
        "repeat('a', 1000000) LIKE '%a_a%b%'",
        "repeat('a', 1000000) ILIKE concat('%', toString(number), '%') FROM numbers(9)",
        "match(c, 'a+b|a') FROM (SELECT 'aa' AS a, concat(a, a, a) AS b, concat(b, b, b) AS c)",
        f"match('{'a' * 3000}', 'a+b|a')",
        "match(replaceAll('aaaaaaaa', 'a', 'aaaaaaaaaaaaaaaaaaaaa'), 'a+b|a')",
        "match(s, 'a+b|a') FROM generateRandom('s String', 1, 1000000) LIMIT 9",
        "match(license_text, '.+b|.') FROM system.licenses",
        "multiSearchAllPositionsCaseInsensitiveUTF8('a', ['b'])",
        "countSubstringsCaseInsensitive(repeat('a', 8000000), repeat('a', 60000) || 'b')",
        "polygonsWithinCartesian([[[(0., 0.)]]], [[[(0., 0.)]]])",
        "h3PolygonToCells([[(0., 0.)]], 15)",
        "JSON_QUERY('[1]', '$[0 to 4000000000]')",
        "JSON_EXISTS('[1]', '$[/**/1/**/to/**/4000000000/**/]')",
        "JSON_VALUE(concat('[', repeat('1,', 100000), '1]'), '$[*].a')",
        "JSON_QUERY('[1]', concat('$[0 to 4000', '000000]'))",
        "arrayMap(JSON_QUERY, ['[1]'], ['$[0 to 4000000000]'])",
        "sum(has(range(10000000), number + 20000000)) FROM numbers(65000)",
        "sum(indexOf((SELECT groupArray(number) FROM numbers(9000000)), -number)) FROM numbers(65000)",
        "sum(length(arrayIntersect(range(1000000), [number + 2000000]))) FROM numbers(65000)",
        "sum(length(substringUTF8(repeat('é', 500000), number, 1))) FROM numbers(65000)",
        "has(arrayConcat(a, a, a, a, a), number) FROM (SELECT number, [1] AS a FROM numbers(9))",
        "sum(JSONExtractInt(concat('[', repeat('1,', 1000000), '1]'), number * 9)) FROM numbers(65000)",
        "sum(positionUTF8(repeat('é', 1000000), 'x', number * 9)) FROM numbers(65000)",
        "sum(mapContains(mapFromArrays(range(1000000), range(1000000)), number)) FROM numbers(65000)",
    ):
        refused = reader.post("/", content=f"SELECT {call}")
        assert refused.headers["x-clickhouse-exception-code"] == "497", f"{call}: {refused.text}"


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("position(name, 'b'), name LIKE '%b%', name ILIKE 'A_c', replaceAll(name, 'a', '')", "2\t1\t1\tbc"),
        ("match(name, '^[a-z]+$'), extract(name, 'b(.)'), name REGEXP 'x|y'", "1\tc\t0"),
        ("replaceRegexpAll(lower(name), '[ac]', '-'), splitByString('b', name)", "-b-\t['a','c']"),
        ("name LIKE concat('%', {p:String}, '%'), position(name, name), match(name, {p:String})", "1\t1\t1"),
        ("arrayExists(word -> position(name, word) > 0, ['x', 'b']), concat(name, '!') LIKE '%c!'", "1\t1"),
        ("match(name, '^[a-z]{3}$'), arrayStringConcat([name, name], ', ')", "1\tabc, abc"),
        ("positionCaseInsensitive(repeat(name, 3), 'C'), countSubstrings(repeat(name, 9), 'ab')", "3\t9"),
        ("has(['abc', 'd'], any(name)), has(groupArray(name), 'abc')", "1\t1"),
        ("has(['abc', 'd'], name), has(splitByChar('b', name), name)", "1\t0"),
        ("has(groupArray(toDate(0)), toDate('1970-01-01')), indexOf(splitByChar('b', 'abc'), 'c')", "1\t2"),
        ("""JSON_VALUE('{"a":[{"b c":7}]}', '$.a[0]."b c"'), JSON_EXISTS('{"a":1}', '$.a')""", "7\t1"),
        ("substringUTF8(name, length(name) - 1, 1), substringUTF8('ééé', 1, 2)", "b\téé"),
    ],
)
def test_an_ordinary_search_is_allowed(reader: httpx.Client, expression: str, result: str) -> None:
    query = f"SELECT {expression} FROM (SELECT 'abc' AS name)"

    assert reader.post("/", content=query, params={"param_p": "b"}).text == f"{result}\n"


def test_the_bounds_of_a_parameter_are_checked_each_time(reader: httpx.Client) -> None:
    query = "SELECT hasAny([1], {list:Array(UInt32)}), match('a', {pattern:String})"
    long = str(list(range(1_000)))
    repeated = {"param_list": "[1]", "param_pattern": "(a?){500}a{500}b"}

    for params, status in (({"param_list": "[1]", "param_pattern": "a"}, 200), (repeated, 403)):
        assert reader.post("/", content=query, params=params).status_code == status
    both_long = "SELECT hasAny({list:Array(UInt32)}, {list:Array(UInt32)})"
    assert reader.post("/", content=both_long, params={"param_list": "[1]"}).status_code == 200
    assert reader.post("/", content=both_long, params={"param_list": long}).status_code == 403


def test_a_search_of_an_array_for_a_short_list_is_allowed(reader: httpx.Client) -> None:
    query = "SELECT hasAny(range(9), [3, 20]), hasAll(['a', 'b'], {names:Array(String)}), hasSubstr([1], [2])"

    answer = reader.post("/", content=query, params={"param_names": "['a', 'b']"})

    assert answer.text == "1\t1\t0\n"


def test_a_call_that_can_t_be_ended_leaves_the_server_responsive(
    reader: httpx.Client, clickhouse_server: Settings
) -> None:
    slow = "SELECT hasAny(range(50000), range(50000, 100000))"  # refused to readers
    admin = {"user": "admin", "password": clickhouse_server.clickhouse_admin_password.get_secret_value()}
    ended = threading.Event()

    def burn() -> None:
        httpx.post(clickhouse_server.clickhouse, content=slow, params=admin, timeout=120, trust_env=False)
        ended.set()

    burning = threading.Thread(target=burn)
    burning.start()
    for params in ({}, {"user": "serving"}, admin):
        assert reader.post("/", content="SELECT 1", params=params).text == "1\n"
    assert not ended.is_set()
    burning.join()


@pytest.mark.nightly
def test_a_connection_without_a_whole_request_is_closed(clickhouse_server: Settings) -> None:
    for sent in (b"", b"POST / HTTP/1.1\r\nHost: local"):
        with connection(clickhouse_server, sent) as half_open:
            began = time.monotonic()
            with suppress(ConnectionResetError):
                assert half_open.recv(1000) == b""
            assert time.monotonic() - began < HEAD_TIMEOUT_S + PATIENCE_S


@pytest.mark.parametrize("whole", [True, False])
def test_a_body_that_does_not_come_is_an_error(whole: bool) -> None:
    async def stalled() -> None:
        body = BodyStream(whole=whole, timeout_s=0.05)
        never = asyncio.Event()

        async def receive() -> dict[str, object]:
            await never.wait()
            return {"type": "http.disconnect"}

        filling = asyncio.create_task(body.fill(receive))
        with pytest.raises(DatabaseError, match="SOCKET_TIMEOUT"):
            await body.started()
        never.set()
        await filling

    asyncio.run(stalled())


HEAD = b"POST %b HTTP/1.1\r\nHost: localhost\r\n"

BROKEN = (
    HEAD % b"/" + b"Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc",
    HEAD % b"/" + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    HEAD % b"/" + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    HEAD % b"/" + b"Content-Length: 5\r\n\r\n\xff\xfe\x00'(",
    HEAD % b"/" + b"Content-Length: 100\r\n\r\nSELECT 1",
    HEAD % b"/" + b"Content-Length: x\r\n\r\nSELECT 1",
    HEAD % b"/" + b"Authorization: Basic %%%\r\nContent-Length: 8\r\n\r\nSELECT 1",
    HEAD % b"/?decompress=1" + b"Content-Length: 30\r\n\r\n" + b"\xff" * 30,
    HEAD % b"/?query=%ff&param_a=%ff" + b"Content-Length: 0\r\n\r\n",
    HEAD % b"/?session_id=%00&session_timeout=x&database=%27%60" + b"Content-Length: 8\r\n\r\nSELECT 1",
    b"\x16\x03\x01 this is no HTTP\r\n\r\n",
)


def test_a_broken_request_logs_no_traceback(tmp_path: Path) -> None:
    settings = clickhouse_settings(tmp_path)
    with (tmp_path / "log").open("wb") as log, running_clickhouse(settings, log):
        for request in BROKEN:
            with connection(settings, request) as broken:
                broken.shutdown(socket.SHUT_WR)
                with suppress(ConnectionResetError):
                    while broken.recv(10_000):
                        pass
            with connection(settings, request):
                pass  # hangs up at once
        assert httpx.get(f"{settings.clickhouse}/ping", trust_env=False).text == "Ok.\n"

    assert "Traceback" not in (tmp_path / "log").read_text()
    assert "never retrieved" not in (tmp_path / "log").read_text()
