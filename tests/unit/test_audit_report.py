"""The report of the audit is aligned whatever the verdicts are."""

import io

import pyarrow as pa
from rich.console import Console

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.report import show
from audit.tables import compare_tables

SPEC = ComparisonSpec("demo", "units by seller", "source", "facts", "sellers", ("seller_id",))
SCHEMA = pa.schema([("seller_id", pa.string()), ("units", pa.int64())])
NONE = pa.Table.from_pylist([], SCHEMA)
TWO, THREE = (pa.Table.from_pylist([{"seller_id": "s1", "units": units}], SCHEMA) for units in (2, 3))


def lines(comparison: ComparisonResult) -> list[str]:
    console = Console(file=io.StringIO(), soft_wrap=True)
    show(comparison, "BRL", console)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_the_text_after_every_verdict_and_every_following_line_begin_in_one_column() -> None:
    agree, totals = lines(compare_tables(SPEC, TWO, TWO))
    differ, *_ = lines(compare_tables(SPEC, TWO, THREE))
    empty, *_ = lines(compare_tables(SPEC, NONE, NONE))

    column = empty.index("source")
    assert empty.startswith("nothing to compare ")
    assert agree.index("source") == differ.index("source") == totals.index("units") == column
