"""Which settings, formats and functions of this engine a reader may use."""

import os
import re
from pathlib import Path

import httpx
import pytest

from clickhouse.sql_guard import allowlists


def names(reader: httpx.Client, query: str) -> list[str]:
    answer = reader.post("/", content=query)
    assert answer.status_code == 200, answer.text
    return answer.text.split()


def files(home: Path) -> set[Path]:
    """Return all files there. The engine may create and remove parts of tables at the same time."""
    return {Path(folder, file) for folder, _, here in os.walk(home) for file in here}


def beside_tables(home: Path) -> set[Path]:
    return {path for path in files(home) if not path.is_relative_to(home / "data")}


def test_a_reader_can_set_nothing_that_names_a_file_a_schema_or_an_address(reader):
    words = "schema|template|path|file|url"
    query = f"SELECT name FROM system.settings WHERE match(name, '{words}')"
    dangerous = names(reader, query)

    refused = [reader.get("/", params={"query": "SELECT 1", name: "another"}) for name in dangerous]

    assert len(dangerous) > 30
    assert {answer.headers.get("x-clickhouse-exception-code") for answer in refused} == {"164"}


@pytest.mark.parametrize("query", ["SELECT 1 +, 2", "SELECT\n  1 +, 2", "SELECT ~"])
def test_a_reader_is_told_where_a_query_ends_to_make_sense(reader, clickhouse_server, query):
    password = clickhouse_server.clickhouse_admin_password.get_secret_value()
    admin = {"x-clickhouse-user": "admin", "x-clickhouse-key": password}

    told = [reader.post("/", content=query, headers=headers).text for headers in ({}, admin)]

    of_reader, of_admin = (re.findall(r"position \d+|line \d+, col \d+", text) for text in told)
    assert of_reader == of_admin != []


def test_a_reader_s_settings_and_system_tables_are_the_engine_s(reader):
    assert set(names(reader, "SELECT name FROM system.settings")) >= allowlists.SETTINGS
    assert set(names(reader, "SELECT name FROM system.formats WHERE is_output")) >= allowlists.FORMATS


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (
            "SELECT\u00a01",
            "(line 1, col 7): U+00A0 NO-BREAK SPACE (write an ordinary space) is allowed inside",
        ),
        (
            "SELECT\n \u2018a\u2019",
            "(line 2, col 2): \u2018 U+2018 LEFT SINGLE QUOTATION MARK (write an ordinary ')",
        ),
        ("SELECT \u201ca\u201d", '\u201c U+201C LEFT DOUBLE QUOTATION MARK (write an ordinary ")'),
        ("SELECT \u200b1", ": U+200B ZERO WIDTH SPACE is allowed inside quotes only"),
        ("SELECT \x00", ": U+0000 control character is allowed inside quotes only"),
        ("SELECT \u20ac", ": \u20ac U+20AC EURO SIGN is allowed inside quotes only"),
        ("SELECT 'a", "(line 1, col 8) ('): this quote is never closed"),
        ("SELECT 1 /* a", "(line 1, col 10) (/*): this comment is never closed"),
    ],
)
def test_a_reader_is_told_which_character_is_wrong(reader, query, reason):
    assert reason in reader.post("/", content=query.encode()).text


def test_an_error_of_the_engine_with_bytes_that_are_no_text_is_reported(reader):
    answer = reader.post("/", content="SELECT toUInt8(unhex('CDCD'))")

    assert answer.status_code == 400
    assert "Cannot parse" in answer.text


def test_a_byte_that_is_no_character_is_shown_as_such(reader):
    assert ": the byte 0xC2 is allowed inside quotes only" in reader.post("/", content=b"SELECT \xc2 1").text


@pytest.mark.parametrize(
    ("name", "value"), [("readonly", "1"), ("receive_timeout", "300"), ("allow_introspection_functions", "0")]
)
def test_a_reader_may_give_a_setting_the_value_that_it_has(reader, name, value):
    assert reader.post("/", content="SELECT 1", params={name: value}).text == "1\n"
    assert reader.post("/", content=f"SELECT 1 SETTINGS {name} = {value}").text == "1\n"
    refused = reader.post("/", content="SELECT 1", params={name: "2"})
    assert refused.headers["x-clickhouse-exception-code"] == "164"


def test_every_search_that_has_a_second_name_is_bounded_by_it_too(reader):
    rows = reader.post(
        "/", content="SELECT lower(name), lower(alias_to) FROM system.functions WHERE alias_to != ''"
    )
    aliases = [line.split("\t") for line in rows.text.splitlines()]

    for listed in (allowlists.SEARCHES, allowlists.HIGHER_ORDER_FUNCTIONS, allowlists.SEARCH_FUNCTIONS):
        assert [pair for pair in aliases if (pair[0] in listed) != (pair[1] in listed)] == []
    buildings = [
        pair for pair in aliases if allowlists.is_building(pair[0]) != allowlists.is_building(pair[1])
    ]
    assert buildings == []


def test_every_function_of_the_engine_is_on_one_of_the_lists(reader):
    known = set(map(str.lower, names(reader, "SELECT name FROM system.functions")))

    assert known - allowlists.FUNCTIONS - allowlists.REFUSED_FUNCTIONS == set()
    assert (allowlists.FUNCTIONS | allowlists.REFUSED_FUNCTIONS) - known == set()


def test_every_suffix_of_an_aggregate_function_is_known(reader):
    suffixes = names(reader, "SELECT name FROM system.aggregate_function_combinators")

    assert all(allowlists.is_function(f"sum{suffix}") for suffix in suffixes)


def test_every_format_answers_and_writes_no_file_or_is_refused(reader, clickhouse_server):
    home = clickhouse_server.home / "clickhouse"
    before = beside_tables(home)
    answers = {
        name: reader.post("/", content=f"SELECT 'a' AS a FORMAT {name}")
        for name in names(reader, "SELECT name FROM system.formats WHERE is_output")
    }

    served = {name for name, answer in answers.items() if answer.status_code == 200}
    refused = {a.headers["x-clickhouse-exception-code"] for a in answers.values() if a.status_code != 200}
    assert served == allowlists.FORMATS
    assert refused == {"164"}
    assert beside_tables(home) == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS a FORMAT Template SETTINGS format_template_row = '/etc/passwd'",
        "SELECT 1 AS a FORMAT ProtobufSingle SETTINGS format_schema = 'SELECT 1'",
        "SELECT 1 AS a FORMAT Protobuf SETTINGS output_format_schema = 'pwned.proto'",
        "SELECT 1 AS a FORMAT TSV SETTINGS output_format_schema = 'pwned.proto'",
        "SELECT 1 SETTINGS log_queries = 1",
    ],
)
def test_a_format_s_schema_is_neither_read_nor_run_nor_written(reader, clickhouse_server, query):
    answer = reader.post("/", content=query)

    assert answer.headers["x-clickhouse-exception-code"] == "164"
    assert "root:" not in answer.text
    assert not [path for path in files(clickhouse_server.home) if path.suffix == ".proto"]


def test_a_stranger_s_page_is_refused(reader):
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = reader.post("/", content="SELECT 1", headers=headers)

        assert answer.status_code == 403
        assert "SOUK_CLICKHOUSE_HOSTS" in answer.text
    assert reader.post("/", content="SELECT 1", headers={"Origin": "http://localhost:3000"}).text == "1\n"
