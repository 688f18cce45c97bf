"""What sellers say came back is compared with a service's books: each return once, and letters explain."""

import pyarrow as pa
import pytest

from audit.comparisons import returns_vs_payments
from audit.returns_pair import ReturnsPair, refused_by
from audit.sources.kafka import DeadLetter
from common.errors import Rejected

FACTS = pa.schema([
    ("event_id", pa.string()), ("order_id", pa.string()), ("return_id", pa.string()),
    ("line_number", pa.int64()), ("units_back", pa.int64()), ("refund_minor", pa.int64()),
])  # fmt: skip
BOOKS = pa.schema(list(FACTS)[1:2] + list(FACTS)[3:])
PAIR = ReturnsPair(returns_vs_payments.ABOUT, "payments")


def told(event_id, return_id="r1", line_number=1, units_back=1, refund_minor=900):
    """A line of a return of order o1."""
    values = (event_id, "o1", return_id, line_number, units_back, refund_minor)
    return dict(zip(FACTS.names, values, strict=True))


def booked(units_back, refund_minor, line_number=1):
    """What the books say of a line of order o1."""
    return dict(zip(BOOKS.names, ("o1", line_number, units_back, refund_minor), strict=True))


def compared(facts, books, acted_on=(), refused=()):
    return PAIR.compare(
        pa.Table.from_pylist(facts, FACTS),
        pa.Table.from_pylist(books, BOOKS),
        pa.chunked_array([pa.array(acted_on, pa.string())]),
        frozenset(refused),
    )


def differences(found):
    return {(each.field, each.left, each.right) for each in found.differences}


def test_the_returns_of_a_line_are_added_up():
    facts = [told("e1"), told("e2", "r2", units_back=2), told("e2", "r2", line_number=2)]

    found = compared(facts, [booked(3, 1_800), booked(1, 900, line_number=2)])

    assert (found.verdict, found.rows) == ("agree", 2)
    assert found.totals == {"units_back": (4, 4), "refund_minor": (2_700, 2_700)}


@pytest.mark.parametrize(
    ("books", "difference"),
    [
        ([], ("row", 1, 0)),
        ([booked(2, 900)], ("units_back", 1, 2)),
        ([booked(1, 899)], ("refund_minor", 900, 899)),
        ([booked(1, 900), booked(1, 900, line_number=2)], ("row", 0, 1)),
    ],
)
def test_a_return_that_was_lost_or_counted_wrongly_is_found(books, difference):
    assert differences(compared([told("e1")], books, acted_on=["e1"])) == {difference}


def test_a_return_that_two_events_tell_of_counts_once():
    facts = [told("e1"), told("e2")]

    assert compared(facts, [booked(1, 900)]).verdict == "agree"
    assert differences(compared(facts, [booked(2, 900)], acted_on=["e1", "e2"])) == {("units_back", 1, 2)}


def test_of_two_events_under_one_return_id_the_one_counts_that_was_acted_on():
    facts = [told("e1"), told("e2", line_number=2, refund_minor=500)]

    found = compared(facts, [booked(1, 500, line_number=2)], acted_on=["e2"], refused=["e1"])

    assert (found.verdict, found.explained) == ("agree", 1)


def test_a_letter_explains_a_return_until_it_is_sent_again_and_taken():
    explained = compared([told("e1"), told("e2", "r2")], [booked(1, 900)], ["e2"], refused=["e1"])
    lost = compared([told("e1"), told("e2", "r2")], [booked(1, 900)], ["e1", "e2"], refused=["e1"])

    assert (explained.verdict, explained.explained) == ("agree", 1)
    assert (differences(lost), lost.explained) == ({("units_back", 2, 1), ("refund_minor", 1_800, 900)}, 0)


def test_a_return_of_nothing_is_in_no_book():
    assert compared([told("e1", units_back=0, refund_minor=0)], []).verdict == "nothing to compare"


def test_without_returns_there_is_nothing_to_compare():
    assert compared([], []).verdict == "nothing to compare"


def test_letters_of_another_service_and_what_is_no_event_explain_nothing():
    letters = [
        DeadLetter(b"e1", "no", "payments"),
        DeadLetter(b"e2", "no", "inventory"),
        DeadLetter(b"", "no event at all", "payments"),
    ]

    assert refused_by("payments", letters, decoded) == {"e1"}


def decoded(value):
    """An event whose id is all that its message says."""
    if not value:
        raise Rejected("not an event")
    return {"event_id": value.decode()}
