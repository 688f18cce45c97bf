import contextlib
import time
from collections.abc import Callable

import pytest

from clickhouse.sql_guard.errors import DatabaseError
from clickhouse.sql_guard.statement import split_insert, split_query, tokens, without_comments


@pytest.mark.parametrize(
    ("text", "core", "format_name", "settings"),
    [
        (b"SELECT 1", b"SELECT 1", None, {}),
        (b"SELECT 1 FORMAT JSON;", b"SELECT 1", "JSON", {}),
        (b"SELECT 1 FORMAT JSON SETTINGS a = 1 -- why", b"SELECT 1", "JSON", {"a": "1"}),
        (b"SELECT 1 SETTINGS a = 'x\\'y', b = -2 FORMAT CSV", b"SELECT 1", "CSV", {"a": "x'y", "b": "-2"}),
        (b"SELECT 1 SETTINGS a=1 FORMAT CSV SETTINGS b=2", b"SELECT 1", "CSV", {"a": "1", "b": "2"}),
        (b"SELECT 'FORMAT CSV'", b"SELECT 'FORMAT CSV'", None, {}),
        (b"SELECT 1 AS format", b"SELECT 1 AS format", None, {}),
        (b"SELECT t.format x FROM t", b"SELECT t.format x FROM t", None, {}),
        (b"SELECT (SELECT 1 SETTINGS a=1)", b"SELECT (SELECT 1 SETTINGS a=1)", None, {}),
        (b"SELECT 1 SETTINGS f = {'a': 'b'}", b"SELECT 1 SETTINGS f = {'a': 'b'}", None, {}),
        (b"/* only */ -- comments", b"", None, {}),
    ],
)
def test_format_and_settings_are_taken_off_the_end_of_a_query(text, core, format_name, settings):
    query = split_query(text)

    assert (query.core, query.format, query.settings) == (core, format_name, settings)


@pytest.mark.parametrize(
    ("text", "query", "format_name", "data"),
    [
        (b"INSERT INTO t FORMAT RowBinary\n\x00\xff'", b"INSERT INTO t ", "RowBinary", b"\x00\xff'"),
        (b"INSERT INTO t FORMAT CSV\r\n1,2", b"INSERT INTO t ", "CSV", b"1,2"),
        (b"INSERT INTO t FORMAT CSV\n\n1", b"INSERT INTO t ", "CSV", b"\n1"),
        (b"insert into d.t (`values`) VALUES (1)", b"insert into d.t (`values`) ", "Values", b" (1)"),
        (b"INSERT INTO t SETTINGS a = 1 FORMAT TSV 1", b"INSERT INTO t SETTINGS a = 1 ", "TSV", b"1"),
        (b"INSERT INTO FUNCTION f('x') (a) FORMAT CSV 1", b"INSERT INTO FUNCTION f('x') (a) ", "CSV", b"1"),
        (b"INSERT INTO format FORMAT CSV 1", b"INSERT INTO format ", "CSV", b"1"),
        (b"-- FORMAT X\nINSERT INTO t FORMAT CSV 1", b"-- FORMAT X\nINSERT INTO t ", "CSV", b"1"),
        (b"INSERT INTO t", b"INSERT INTO t", None, b""),
    ],
)  # fmt: skip
def test_an_insert_ends_where_its_data_begin(text, query, format_name, data):
    insert = split_insert(text)

    assert insert is not None
    assert (insert.query, insert.format, text[insert.data_at :]) == (query, format_name, data)


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1",
        b"INSERT INTO t SELECT 1",
        b"INSERT INTO t (a) (SELECT 1)",
        b"INSERT INTO t WITH 1 AS x SELECT x",
        b"",
    ],
)
def test_a_query_without_data_is_no_insert_with_data(text):
    assert split_insert(text) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            b"INSERT INTO t (a) FORMAT CSV 1",
            b"INSERT INTO t (a) \nFROM INFILE 'f' COMPRESSION 'none' \nFORMAT CSV",
        ),
        (
            b"INSERT INTO settings SETTINGS a = 1 FORMAT CSV",
            b"INSERT INTO settings \nFROM INFILE 'f' COMPRESSION 'none' SETTINGS a = 1 \nFORMAT CSV",
        ),
        (
            b"INSERT INTO t -- why",
            b"INSERT INTO t -- why\nFROM INFILE 'f' COMPRESSION 'none' \nFORMAT CSV",
        ),
    ],
)
def test_the_engine_takes_the_data_of_an_insert_from_a_file(text, read):
    insert = split_insert(text)

    assert insert is not None
    assert insert.from_file("f", "CSV") == read


def test_no_statement_hides_behind_an_insert():
    with pytest.raises(DatabaseError, match="Multi-statements"):
        split_insert(b"INSERT INTO t; DROP TABLE t FORMAT CSV")


def test_a_query_may_not_name_a_file_of_the_server():
    with pytest.raises(DatabaseError, match="INTO OUTFILE"):
        split_query(b"SELECT 1 INTO\nOUTFILE '/etc/x' FORMAT CSV")
    with pytest.raises(DatabaseError, match="FROM INFILE"):
        split_insert(b"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV")


ADVERSARIAL: dict[str, Callable[[int], bytes]] = {
    "escaped quotes": lambda size: b"SELECT '" + rb"\'" * (size // 2),
    "escaped double quotes": lambda size: b'SELECT "' + rb"\"" * (size // 2),
    "escaped backticks": lambda size: b"SELECT `" + rb"\`" * (size // 2),
    "doubled quotes": lambda size: b"SELECT '" + b"''" * (size // 2),
    "quotes of every kind": lambda size: b"'a' \"b\" `c` " * (size // 12),
    "begins of comments": lambda size: b"/*" * (size // 2),
    "comments": lambda size: b"/* a */ " * (size // 8),
    "empty comments": lambda size: b"/**/" * (size // 4),
    "comments in comments": lambda size: b"/* /* */ " * (size // 9),
    "comments of one line": lambda size: b"--\n" * (size // 3),
    "begins of heredocs": lambda size: b"$a$" * (size // 3),
    "tags of heredocs": lambda size: b" ".join(b"$t%d$" % number for number in range(size // 9)),
    "dollars": lambda size: b"$" * size,
    "blanks": lambda size: b"SELECT" + b" " * size + b"1",
    "brackets": lambda size: b"(" * size,
    "numbers": lambda size: b"1e" * (size // 2),
    "settings": lambda size: b"SELECT 1 SETTINGS " + b", ".join(b"a%d = 1" % n for n in range(size // 12)),
    "clauses": lambda size: b"SELECT 1" + b"".join(b" SETTINGS a%d = 1" % n for n in range(size // 18)),
    "formats": lambda size: b"SELECT 1" + b" FORMAT CSV" * (size // 11),
    "inserts": lambda size: b"INSERT INTO " * (size // 12),
}


@pytest.mark.parametrize("large", [1 << 17, pytest.param(1 << 20, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_the_time_for_a_text_grows_with_its_length(name: str, large: int) -> None:
    def seconds(size: int) -> float:
        text = ADVERSARIAL[name](size)
        began = time.process_time()
        for read in (lambda: list(tokens(text)), lambda: without_comments(text), lambda: split_query(text)):
            with contextlib.suppress(DatabaseError):
                read()
        with contextlib.suppress(DatabaseError):
            split_insert(text)
        return time.process_time() - began

    small = 1 << 12
    allowed = (
        5 * (large / small) * max(seconds(small), 0.002)
    )  # a quadratic one takes 32 or 256 times as long

    assert seconds(large) < allowed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"SELECT 'a", "failed at position 8 (line 1, col 8) ('): this quote is never closed"),
        (b"SELECT\n 'a\\'", "failed at position 9 (line 2, col 2) ('): this quote is never closed"),
        (b"SELECT `a", "this quote is never closed"),
        (b'SELECT "a', "this quote is never closed"),
        (b"SELECT 'a''", "this quote is never closed"),
        (b"SELECT 1 /* a", "failed at position 10 (line 1, col 10) (/*): this comment is never closed"),
        (b"SELECT $a$ b", "($a$): this heredoc is never closed"),
    ],
)
def test_what_is_never_closed_is_refused_with_its_place(text: bytes, reason: str) -> None:
    for read in (split_query, without_comments):
        with pytest.raises(DatabaseError) as refused:
            read(text)
        assert reason in refused.value.message


def test_the_error_of_the_engine_is_read_in_time_that_grows_with_its_length() -> None:
    blanks = " " * 1_000_000
    for message in (blanks, "(version " * 100_000, "Code: 1. DB::Exception: " * 40_000, " (A" * 300_000):
        error = DatabaseError.parse(
            f"Code: 395. DB::Exception: {message}. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)"
        )

        assert error.name == "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"
