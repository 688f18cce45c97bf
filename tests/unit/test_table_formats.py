"""Tables as CSV, in which nothing is a formula, and as Parquet, with exact amounts."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO, StringIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.problems import Problem
from serving.kit.csv_writer import csv_lines
from serving.kit.parquet_writer import PARQUET, ParquetFile, money_column, schema_of, write_parquet
from serving.kit.responses import CSV, JSON, preferred_type
from serving.kit.stream_slots import TOO_MANY_STREAMS, StreamSlots

LONG = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
STARTS = st.sampled_from(["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "a=1", "'", ""])


@given(st.lists(st.tuples(TEXTS | STARTS, st.integers() | st.floats(allow_nan=False)), min_size=1))
def test_a_text_in_csv_is_no_formula_and_a_number_stays_a_number(rows: list[tuple[str, float]]) -> None:
    read = list(csv.reader(StringIO(csv_lines(rows).decode(), newline="")))

    for (text, number), (cell, figure) in zip(rows, read, strict=True):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert cell.removeprefix("'") == text.removeprefix("'")
        assert type(number)(figure) == number  # as an integer, because a float has 53 bits


def test_a_decimal_that_is_written_as_text_is_a_number() -> None:
    assert csv_lines([("-1.5", "-1.5", None, ["=1"], True)], [True, False, False, False, False]) == (
        b'-1.5,\'-1.5,,"[""=1""]",true\r\n'
    )


@given(st.lists(st.none() | LONG))
def test_minor_units_become_exact_decimals(minor: list[int | None]) -> None:
    found = money_column(pa.array(minor, pa.int64()), "BRL").to_pylist()

    assert found == [None if each is None else Decimal(each).scaleb(-2) for each in minor]


def test_a_currency_without_hundredths_has_none_in_parquet() -> None:
    assert money_column(pa.array([-7], pa.int64()), "JPY").to_pylist() == [Decimal(-7)]


def test_a_parquet_file_has_the_kinds_of_its_columns() -> None:
    at = datetime(2018, 8, 1, 3, tzinfo=UTC)
    kinds = {"at": "time", "name": "text", "sales": "money", "orders": "count", "share": "number"}
    rows = [{"at": at, "name": "=x", "sales": -1234, "orders": 2, "share": 0.25}, dict.fromkeys(kinds)]
    table = pq.read_table(BytesIO(write_parquet(kinds, rows, "BRL", at)))  # type: ignore[arg-type]

    first = {"at": at, "name": "=x", "sales": Decimal("-12.34"), "orders": 2, "share": 0.25}
    assert table.to_pylist() == [first, dict.fromkeys(kinds)]
    assert table.schema.metadata == {b"currency": b"BRL", b"as_of": at.isoformat().encode()}


def test_a_file_in_parts_is_the_file_as_a_whole() -> None:
    schema = schema_of({"orders": "count"}, "BRL")
    file = ParquetFile(schema)
    parts = [file.add(pa.table({"orders": [number]}, schema=schema)) for number in range(3)]
    content = b"".join([*parts, file.add(schema.empty_table()), file.end()])

    assert all(parts)
    assert pq.read_table(BytesIO(content))["orders"].to_pylist() == [0, 1, 2]
    assert pq.read_metadata(BytesIO(content)).num_row_groups == 3


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (PARQUET, PARQUET),
        ("text/csv;q=0.5, application/vnd.apache.parquet", PARQUET),
        ("text/csv, application/vnd.apache.parquet;q=0.9", CSV),
        ("application/vnd.apache.parquet;q=0, */*;q=0.1", JSON),
    ],
)
def test_accept_chooses_the_form(accept: str, preferred: str) -> None:
    assert preferred_type(accept, (JSON, CSV, PARQUET)) == preferred


def test_slots_are_limited_for_each_seller_and_for_all() -> None:
    slots = StreamSlots("exports", of_seller=1, of_all=2)
    end = slots.take("ana")
    with pytest.raises(Problem, match="1 exports open", check=TOO_MANY_STREAMS.matches):
        slots.take("ana")
    slots.take("bia")
    with pytest.raises(Problem, match="Too many exports", check=TOO_MANY_STREAMS.matches):
        slots.take("carl")
    end()
    end()
    slots.take("carl")
    with pytest.raises(Problem, check=TOO_MANY_STREAMS.matches):
        slots.take("ana")
