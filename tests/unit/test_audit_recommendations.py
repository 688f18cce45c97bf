"""The audit of the recommendations' inputs: the first members of lists, expired members, and cards."""

import json
from typing import Any

import pyarrow as pa
import pytest

from audit.comparison import ComparisonResult
from audit.comparisons.facts_vs_recommendations import (
    COMPARED,
    OFFERS,
    SIMILAR,
    latest_sides,
    offer_sides,
    similar_sides,
    spec,
)
from audit.table_comparison import Sides, TableComparison
from audit.tables import ROUNDING
from jobs.recommendations.logic import MAX_SIMILAR


def neighbours(expected: pa.Table, actual: pa.Table) -> ComparisonResult:
    sides = similar_sides(expected, actual)
    return TableComparison(SIMILAR, lambda _: sides, rounding=ROUNDING).compare()


def latest(what: str, expected: pa.Table, actual: pa.Table, size: int) -> ComparisonResult:
    sides = latest_sides(expected, actual, size)
    return TableComparison(spec(what, "moments"), lambda _: sides).compare()


def offers(expected: pa.Table, hashes: dict[str, list[str | None]]) -> ComparisonResult:
    sides: Sides = offer_sides(expected, hashes)
    return TableComparison(OFFERS, lambda _: sides).compare()


Ranked = list[tuple[str, str, float]]


def table(rows: Ranked) -> pa.Table:
    owners, members, scores = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {"owner": pa.array(owners, pa.string()), "member": pa.array(members, pa.string())}
    return pa.table({**columns, "score": pa.array(scores, pa.float64())})


def ranked(count: int, owner: str = "lamp") -> Ranked:
    return [(owner, f"p{number:02}", 100.0 - number) for number in range(count)]


def found(expected: Ranked, actual: Ranked) -> set[tuple[str, Any, Any]]:
    compared = neighbours(table(expected), table(actual))
    return {(str(one.key["member"]), one.left, one.right) for one in compared.differences}


def test_neighbours_beyond_the_compared_ones_do_not_matter() -> None:
    assert found(ranked(COMPARED + 9), ranked(COMPARED + 2)) == set()


def test_a_neighbour_that_is_missing_is_found() -> None:
    assert found(ranked(COMPARED + 9), ranked(COMPARED + 9)[1:]) == {("p00", 1, 0)}
    assert found(ranked(3), ranked(2)) == {("p02", 1, 0)}


def test_a_neighbour_that_no_fact_explains_is_found() -> None:
    assert found(ranked(2), [("lamp", "ghost", 101.0), *ranked(2)]) == {("ghost", 0, 1)}


def test_a_score_that_differs_is_found() -> None:
    assert found(ranked(2), [("lamp", "p00", 100.5), ("lamp", "p01", 99.0)]) == {("p00", 100.0, 100.5)}


def test_neighbours_of_equal_scores_may_replace_each_other_at_the_end_of_a_list() -> None:
    head, last = ranked(COMPARED - 1), 5.0
    assert found([*head, ("lamp", "x", last), ("lamp", "y", last)], [*head, ("lamp", "y", last)]) == set()


def test_an_owner_without_a_list_is_found() -> None:
    assert found(ranked(1), []) == {("p00", 1, 0)}


def remembered(rows: Ranked, least: list[float | None]) -> pa.Table:
    return table(rows).append_column("least", pa.array(least, pa.float64()))


def test_old_members_may_have_expired_and_new_ones_must_be_there() -> None:
    facts = remembered([("ann", "lamp", 5.0), ("bob", "lamp", 6.0), ("bob", "rug", 7.0)], [None, None, 7.0])

    assert latest("recent", facts, table([("bob", "rug", 7.0)]), 20).verdict == "agree"
    assert latest("recent", facts, table([("bob", "lamp", 6.0), ("bob", "rug", 7.0)]), 20).rows == 2
    [missing] = latest("recent", facts, table([("bob", "lamp", 6.0)]), 20).differences
    assert missing.key == {"owner": "bob", "member": "rug"}


NOW_S = 1_760_000_000.0


@pytest.mark.parametrize("least", [NOW_S, NOW_S - 60, None])
@pytest.mark.parametrize(("late_s", "verdict"), [(0, "agree"), (1, "differ")])
def test_a_time_that_is_a_second_late_is_found(least: float | None, late_s: float, verdict: str) -> None:
    facts = remembered([("ann", "lamp", NOW_S)], [least])

    assert latest("recent", facts, table([("ann", "lamp", NOW_S + late_s)]), 20).verdict == verdict


@pytest.mark.parametrize(
    ("there", "verdict"), [(3.9, "differ"), (4.0, "agree"), (10.0, "agree"), (10.1, "differ")]
)
def test_a_partly_expired_score_has_at_least_its_new_part(there: float, verdict: str) -> None:
    facts = remembered([("lamp", "rug", 10.0)], [4.0])

    assert neighbours(facts, table([("lamp", "rug", there)])).verdict == verdict


@pytest.mark.parametrize(("score", "verdict"), [(4.0, "agree"), (6.0, "differ")])
def test_a_member_that_moved_up_after_an_expiry_scores_less_than_the_last(score: float, verdict: str) -> None:
    rows = ranked(MAX_SIMILAR)  # the last scores 5
    there = [*rows[1:COMPARED], ("lamp", "next", score)]
    facts = remembered(rows, [row[2] if row in there else None for row in rows])

    assert neighbours(facts, table(there)).verdict == verdict


def test_an_offer_is_compared_field_by_field_and_a_product_without_a_listing_has_none() -> None:
    row = {"product_id": "lamp", "seller_id": "ann", "name": "", "category": "light", "currency": "BRL",
           "price_minor": 500, "listed": 1, "available": -1, "group_id": "", "attributes": ""}  # fmt: skip
    listing = {"seller_id": "ann", "category": "light", "currency": "BRL", "price_minor": 500, "listed": 1}
    found: dict[str, list[str | None]] = {
        "lamp": [json.dumps([listing]), '{"ann": 0}'], "rug": [None, '{"ann": 3}'],
    }  # fmt: skip

    [difference] = offers(pa.Table.from_pylist([row]), found).differences
    assert (difference.field, difference.left, difference.right) == ("available", -1, 0)


def test_an_offer_of_a_second_seller_that_is_missing_is_found() -> None:
    row = {"product_id": "lamp", "seller_id": "ann", "name": "", "category": "light", "currency": "BRL",
           "price_minor": 500, "listed": 1, "available": 0, "group_id": "", "attributes": ""}  # fmt: skip
    listing = {"seller_id": "ann", "category": "light", "currency": "BRL", "price_minor": 500, "listed": 1}
    found: dict[str, list[str | None]] = {"lamp": [json.dumps([listing]), '{"ann": 0}']}

    [missing] = offers(pa.Table.from_pylist([row, row | {"seller_id": "bob"}]), found).differences
    assert missing.key == {"product_id": "lamp", "seller_id": "bob"}


def test_an_attribute_or_a_group_that_differs_is_found() -> None:
    row = {"product_id": "lamp", "seller_id": "ann", "name": "", "category": "", "currency": "BRL",
           "price_minor": 500, "group_id": "g", "attributes": "colour=blue\nroom=hall", "listed": 1,
           "available": -1}  # fmt: skip
    listing: dict[str, Any] = {
        "seller_id": "ann", "currency": "BRL", "price_minor": 500, "listed": 1, "group_id": "g",
        "attributes": {"room": "hall", "colour": "blue"},
    }  # fmt: skip

    def fields(changed: dict[str, Any]) -> list[str]:
        hashes: dict[str, list[str | None]] = {"lamp": [json.dumps([listing | changed]), None]}
        compared = offers(pa.Table.from_pylist([row]), hashes)
        return [each.field for each in compared.differences]

    assert fields({}) == []
    assert fields({"attributes": {"colour": "blue"}}) == ["attributes"]
    assert fields({"group_id": "h"}) == ["group_id"]
