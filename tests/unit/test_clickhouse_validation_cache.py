"""Which of the texts that readers may run are known when they come again."""

import pytest

from clickhouse.sql_guard.statement import split_query
from local.embedded_clickhouse.query_execution import (
    MAX_ENTRIES,
    MAX_TEXT_BYTES,
    ValidatedQuery,
    ValidationCache,
)


def kept(text: bytes, database: str = "souk") -> ValidationCache:
    checked = ValidationCache()
    checked.add(text, database, ValidatedQuery(text, split_query(text)))
    return checked


def test_a_text_is_known_in_its_database_only():
    text = b"SELECT a FROM t FORMAT CSV"
    checked = kept(text)

    assert checked.find(text, "souk") == ValidatedQuery(text, split_query(text))
    assert checked.find(text, "other") is None
    assert checked.find(b"SELECT a FROM t", "souk") is None


@pytest.mark.parametrize(
    "text",
    [b"SELECT * FROM {t:Identifier}", b"SELECT '%b'" % (b"a" * MAX_TEXT_BYTES)],
    ids=["a parameter names a table", "too long"],
)
def test_what_hangs_on_more_than_its_text_or_is_too_long_is_not_kept(text):
    assert kept(text).find(text, "souk") is None


def test_no_more_than_so_many_are_kept():
    checked = ValidationCache()
    for number in range(MAX_ENTRIES + 1):
        text = f"SELECT {number}".encode()
        checked.add(text, "souk", ValidatedQuery(text, split_query(text)))

    assert checked.find(b"SELECT 0", "souk") is None
    assert checked.find(f"SELECT {MAX_ENTRIES}".encode(), "souk") is not None
