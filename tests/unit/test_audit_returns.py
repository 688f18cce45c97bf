"""Returns are compared with a service's rows: each return counts once, and dead letters explain."""

import pyarrow as pa
import pytest

from audit.comparison import ComparisonResult
from audit.returns_comparison import rejected_by
from audit.sources.kafka import DeadLetterRecord
from audit.sql_comparison import QUERIES, read_description
from audit.table_comparison import TableComparison
from common.errors import Rejected

EVENTS = pa.schema([
    ("event_id", pa.string()), ("order_id", pa.string()), ("return_id", pa.string()),
    ("line_number", pa.int64()), ("units_back", pa.int64()), ("refund_minor", pa.int64()),
])  # fmt: skip
RECORDED = pa.schema(list(EVENTS)[1:2] + list(EVENTS)[3:])
RETURNS = read_description(QUERIES / "returns_vs_orders")


def returned(event_id, return_id="r1", line_number=1, units_back=1, refund_minor=900):
    """A line of a return of order o1."""
    values = (event_id, "o1", return_id, line_number, units_back, refund_minor)
    return dict(zip(EVENTS.names, values, strict=True))


def recorded(units_back, refund_minor, line_number=1):
    """A service's row of a line of order o1."""
    return dict(zip(RECORDED.names, ("o1", line_number, units_back, refund_minor), strict=True))


def compared(events, rows, processed=(), rejected=()) -> ComparisonResult:
    sides = RETURNS.sides(
        pa.Table.from_pylist(events, EVENTS),
        pa.Table.from_pylist(rows, RECORDED),
        pa.chunked_array([pa.array(processed, pa.string())]),
        frozenset(rejected),
    )
    return TableComparison(RETURNS.spec, lambda _: sides).compare()


def differences(found):
    return {(each.field, each.left, each.right) for each in found.differences}


def test_the_returns_of_a_line_are_summed():
    facts = [returned("e1"), returned("e2", "r2", units_back=2), returned("e2", "r2", line_number=2)]

    found = compared(facts, [recorded(3, 1_800), recorded(1, 900, line_number=2)])

    assert (found.verdict, found.rows) == ("agree", 2)
    assert found.totals == {"units_back": (4, 4), "refund_minor": (2_700, 2_700)}


@pytest.mark.parametrize(
    ("books", "difference"),
    [
        ([], ("row", 1, 0)),
        ([recorded(2, 900)], ("units_back", 1, 2)),
        ([recorded(1, 899)], ("refund_minor", 900, 899)),
        ([recorded(1, 900), recorded(1, 900, line_number=2)], ("row", 0, 1)),
    ],
)
def test_a_return_that_was_lost_or_counted_wrongly_is_found(books, difference):
    assert differences(compared([returned("e1")], books, processed=["e1"])) == {difference}


def test_a_return_with_two_events_counts_once():
    facts = [returned("e1"), returned("e2")]

    assert compared(facts, [recorded(1, 900)]).verdict == "agree"
    assert differences(compared(facts, [recorded(2, 900)], processed=["e1", "e2"])) == {("units_back", 1, 2)}


def test_of_two_events_of_one_return_the_processed_one_counts():
    facts = [returned("e1"), returned("e2", line_number=2, refund_minor=500)]

    found = compared(facts, [recorded(1, 500, line_number=2)], processed=["e2"], rejected=["e1"])

    assert (found.verdict, found.explained) == ("agree", 1)


def test_a_dead_letter_explains_a_return_until_it_is_replayed_and_processed():
    explained = compared([returned("e1"), returned("e2", "r2")], [recorded(1, 900)], ["e2"], rejected=["e1"])
    lost = compared([returned("e1"), returned("e2", "r2")], [recorded(1, 900)], ["e1", "e2"], rejected=["e1"])

    assert (explained.verdict, explained.explained) == ("agree", 1)
    assert (differences(lost), lost.explained) == ({("units_back", 2, 1), ("refund_minor", 1_800, 900)}, 0)


def test_a_return_of_no_units_and_no_money_is_not_recorded():
    assert compared([returned("e1", units_back=0, refund_minor=0)], []).verdict == "nothing to compare"


def test_without_returns_there_is_nothing_to_compare():
    assert compared([], []).verdict == "nothing to compare"


def test_dead_letters_of_other_services_and_undecodable_ones_explain_nothing():
    letters = [
        DeadLetterRecord(b"e1", "no", "payments"),
        DeadLetterRecord(b"e2", "no", "inventory"),
        DeadLetterRecord(b"", "no event at all", "payments"),
    ]

    assert rejected_by("payments", letters, decoded) == {"e1"}


def decoded(value):
    """An event whose id is all that its message says."""
    if not value:
        raise Rejected("not an event")
    return {"event_id": value.decode()}
