"""Rows of Arrow tables are the same as those of `to_pylist`."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.arrow_rows import rows, values

WORDS = st.none() | st.text(max_size=4)
NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)
SHARES = st.none() | st.floats(allow_nan=False)
LINES = st.none() | st.lists(st.none() | st.fixed_dictionaries({"id": WORDS, "units": NUMBERS}), max_size=3)
EVENT = st.fixed_dictionaries(
    {"id": WORDS, "at": NUMBERS, "share": SHARES, "paid": st.none() | st.booleans(), "lines": LINES}
)
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("at", pa.int64()),
        pa.field("share", pa.float64()),
        pa.field("paid", pa.bool_()),
        pa.field("lines", pa.list_(pa.struct([pa.field("id", pa.string()), pa.field("units", pa.int64())]))),
    ]
)


@given(st.lists(EVENT, max_size=8), st.integers(0, 8))
def test_rows_of_any_slice_are_those_of_to_pylist(events: list[dict[str, object]], first: int) -> None:
    table = pa.Table.from_pylist(events, SCHEMA).slice(first)
    assert list(rows(table)) == table.to_pylist()


@pytest.mark.parametrize("kind", [pa.map_(pa.string(), pa.int64()), pa.timestamp("ms", "UTC"), pa.null()])
def test_other_types_are_converted_as_arrow_does(kind: pa.DataType) -> None:
    array = pa.nulls(3, kind)
    assert values(array) == array.to_pylist()
