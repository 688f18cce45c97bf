import pytest

from clickhouse.http_server.errors import DatabaseError
from clickhouse.http_server.statement import split_insert, split_query


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
