"""On an open shop, differing rows are read again: a change agrees later, a true difference stays."""

from collections.abc import Iterator
from threading import Event
from typing import cast

import pyarrow as pa
import pytest

from audit import registry, run
from audit.comparison import ComparisonResult, ComparisonSpec
from audit.run import compare_all
from audit.sources.busy import StoreBusy
from audit.stores import Stores
from audit.table_comparison import MAX_FILTER_VALUES, KeyFilter, Sides, TableComparison

SPEC = ComparisonSpec("demo", "stock of every product", "PostgreSQL", "facts", "products", ("product_id",))
Stock = dict[str, int]


class Snapshots:
    """Counts the snapshots of the service database that a run takes."""

    def __init__(self) -> None:
        self.taken = 0
        self.service_db = self

    def take_snapshot(self) -> None:
        self.taken += 1


def table(stock: Stock) -> pa.Table:
    columns = {"product_id": pa.array(stock, pa.string()), "on_hand": pa.array(stock.values(), pa.int64())}
    return pa.table(columns)


def comparison(*readings: tuple[Stock, Stock]) -> tuple[TableComparison, list[KeyFilter | None]]:
    """Return a comparison that reads these sides in turn, then the last one again, and the reads' filters."""
    sides = [Sides(table(left), table(right)) for left, right in readings]
    filters: list[KeyFilter | None] = []

    def read(keys: KeyFilter | None) -> Sides:
        filters.append(keys)
        return sides[min(len(filters), len(sides)) - 1]

    return TableComparison(SPEC, read), filters


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch):
    """Runs one comparison as the command does, without pauses."""
    monkeypatch.setattr(run, "REREAD_PAUSE_S", 0.0)

    def audited(compared: TableComparison, *, moved: bool = True, stalled_s: float = 0.0) -> ComparisonResult:
        def found(_: Stores) -> Iterator[TableComparison]:
            yield compared

        monkeypatch.setattr(run, "COMPARISONS", {**registry.COMPARISONS, "demo": found})
        stores = cast(Stores, Snapshots())
        (result,) = compare_all(["demo"], stores, lambda: moved, stalled_s, lambda _: None)
        return result

    return audited


def test_a_row_that_changed_between_the_two_reads_agrees_when_it_is_read_again(audit) -> None:
    compared, filters = comparison(
        ({"lamp": 5, "rug": 1}, {"lamp": 4, "rug": 1}), ({"lamp": 4, "cup": 9}, {"lamp": 4, "cup": 8})
    )

    found = audit(compared)

    assert (found.verdict, found.rows, found.totals) == ("agree", 2, {"on_hand": (5, 5)})
    assert filters == [None, KeyFilter("product_id", ("lamp",))]


def test_a_true_difference_stays_while_others_settle(audit) -> None:
    compared, _ = comparison(
        ({"lamp": 5, "rug": 1, "cup": 2}, {"lamp": 4, "rug": 2, "cup": 1}),
        ({"lamp": 6, "rug": 1, "cup": 2}, {"lamp": 5, "rug": 2, "cup": 2}),
        ({"lamp": 7, "rug": 1}, {"lamp": 7, "rug": 2}),
    )

    found = audit(compared)

    assert [(each.key, each.left, each.right) for each in found.differences] == [
        ({"product_id": "rug"}, 1, 2)
    ]


@pytest.mark.parametrize(("left", "right"), [({"lamp": 1}, {}), ({}, {"lamp": 1})])
def test_a_row_that_one_store_never_gets_is_found(audit, left: Stock, right: Stock) -> None:
    compared, _ = comparison((left, right))

    assert [each.field for each in audit(compared).differences] == ["row"]


def test_a_row_that_has_vanished_from_both_stores_is_no_difference(audit) -> None:
    compared, _ = comparison(({"lamp": 1, "rug": 1}, {"rug": 1}), ({}, {}))

    found = audit(compared)

    assert (found.verdict, found.rows) == ("agree", 1)


def test_on_a_shop_without_traffic_nothing_is_read_again(audit) -> None:
    compared, filters = comparison(({"lamp": 5}, {"lamp": 4}))

    assert audit(compared, moved=False).difference_count == 1
    assert filters == [None]


def test_many_differing_rows_are_read_again_as_a_whole(audit) -> None:
    many = {f"product-{number}": 1 for number in range(MAX_FILTER_VALUES + 1)}
    compared, filters = comparison((many, {}), (many, many))

    assert audit(compared).verdict == "agree"
    assert filters == [None, None]


def beside_and_in_turn(monkeypatch: pytest.MonkeyPatch, *readings: tuple[Stock, Stock]) -> list[Stores]:
    """Make `demo` a comparison that may run beside `slow`, which waits for it; return the stores it gets."""
    given: list[Stores] = []
    has_begun = Event()
    compared, _ = comparison(*readings)

    def demo(stores: Stores) -> Iterator[TableComparison]:
        given.append(stores)
        has_begun.set()
        yield compared

    def slow(_: Stores) -> Iterator[TableComparison]:
        assert has_begun.wait(10), "the other comparison does not run beside this one"
        yield comparison(({"cup": 1}, {"cup": 1}))[0]

    monkeypatch.setattr(run, "REREAD_PAUSE_S", 0.0)
    monkeypatch.setattr(run, "BESIDE", frozenset({"demo"}))
    monkeypatch.setattr(run, "COMPARISONS", {"slow": slow, "demo": demo})
    return given


def test_a_comparison_of_the_api_runs_beside_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    given = beside_and_in_turn(monkeypatch, ({"lamp": 5}, {"lamp": 4}), ({"lamp": 4}, {"lamp": 4}))
    stores, apart = cast(Stores, Snapshots()), cast(Stores, Snapshots())

    found = list(compare_all(["slow", "demo"], stores, lambda: True, 0.0, lambda _: None, apart))

    assert [(each.verdict, each.rows) for each in found] == [("agree", 1), ("agree", 1)]
    assert given == [apart]


def test_what_fails_beside_the_others_ends_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    beside_and_in_turn(monkeypatch)  # a comparison without a reading
    stores = cast(Stores, Snapshots())

    with pytest.raises(IndexError):
        list(compare_all(["slow", "demo"], stores, lambda: True, 0.0, lambda _: None, stores))


def test_a_busy_store_leaves_out_a_comparison_and_not_the_others(monkeypatch) -> None:
    def read(_: KeyFilter | None) -> Sides:
        raise StoreBusy("it took longer than 60 s")

    def found(_: Stores) -> Iterator[TableComparison]:
        yield TableComparison(SPEC, read)
        yield comparison(({"lamp": 5}, {"lamp": 5}))[0]

    monkeypatch.setattr(run, "COMPARISONS", {"demo": found})
    stores = cast(Stores, Snapshots())
    left_out, compared = compare_all(["demo"], stores, lambda: True, 0.0, lambda _: None)

    assert (left_out.verdict, left_out.unread) == ("not compared", "it took longer than 60 s")
    assert compared.verdict == "agree"
