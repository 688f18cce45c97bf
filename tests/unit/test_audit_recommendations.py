"""What the audit makes of what recommendations are made from: the heads of lists, what expires, cards."""

from typing import Any

import pyarrow as pa
import pytest

from audit.comparisons.facts_vs_recommendations import COMPARED, cards, latest, neighbours
from jobs.recommendations.logic import KEPT_SIMILAR

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


def test_neighbours_beyond_those_that_answers_look_at_do_not_matter() -> None:
    assert found(ranked(COMPARED + 9), ranked(COMPARED + 2)) == set()


def test_a_neighbour_that_is_missing_is_found() -> None:
    assert found(ranked(COMPARED + 9), ranked(COMPARED + 9)[1:]) == {("p00", 1, 0)}
    assert found(ranked(3), ranked(2)) == {("p02", 1, 0)}


def test_a_neighbour_that_no_fact_explains_is_found() -> None:
    assert found(ranked(2), [("lamp", "ghost", 101.0), *ranked(2)]) == {("ghost", 0, 1)}


def test_a_score_that_differs_is_found() -> None:
    assert found(ranked(2), [("lamp", "p00", 100.5), ("lamp", "p01", 99.0)]) == {("p00", 100.0, 100.5)}


def test_neighbours_of_equal_scores_may_stand_for_each_other_at_the_end_of_a_list() -> None:
    head, last = ranked(COMPARED - 1), 5.0
    assert found([*head, ("lamp", "x", last), ("lamp", "y", last)], [*head, ("lamp", "y", last)]) == set()


def test_an_owner_without_a_list_is_found() -> None:
    assert found(ranked(1), []) == {("p00", 1, 0)}


def remembered(rows: Ranked, least: list[float | None]) -> pa.Table:
    return table(rows).append_column("least", pa.array(least, pa.float64()))


def test_what_is_old_may_be_forgotten_and_what_came_in_lately_is_missed() -> None:
    facts = remembered([("ann", "lamp", 5.0), ("bob", "lamp", 6.0), ("bob", "rug", 7.0)], [None, None, 7.0])

    assert latest("recent", facts, table([("bob", "rug", 7.0)]), 20).verdict == "agree"
    assert latest("recent", facts, table([("bob", "lamp", 6.0), ("bob", "rug", 7.0)]), 20).rows == 2
    [missing] = latest("recent", facts, table([("bob", "lamp", 6.0)]), 20).differences
    assert missing.key == {"owner": "bob", "member": "rug"}


NOW_S = 1_760_000_000.0


@pytest.mark.parametrize("least", [NOW_S, NOW_S - 60, None])
@pytest.mark.parametrize(("late_s", "verdict"), [(0, "agree"), (1, "differ")])
def test_a_moment_that_is_a_second_late_is_found(least: float | None, late_s: float, verdict: str) -> None:
    facts = remembered([("ann", "lamp", NOW_S)], [least])

    assert latest("recent", facts, table([("ann", "lamp", NOW_S + late_s)]), 20).verdict == verdict


@pytest.mark.parametrize(
    ("there", "verdict"), [(3.9, "differ"), (4.0, "agree"), (10.0, "agree"), (10.1, "differ")]
)
def test_of_what_is_partly_forgotten_at_least_the_new_part_counts(there: float, verdict: str) -> None:
    facts = remembered([("lamp", "rug", 10.0)], [4.0])

    assert neighbours(facts, table([("lamp", "rug", there)])).verdict == verdict


@pytest.mark.parametrize(("score", "verdict"), [(36.0, "agree"), (38.0, "differ")])
def test_who_moved_up_for_what_was_forgotten_scores_less_than_the_last(score: float, verdict: str) -> None:
    rows = ranked(KEPT_SIMILAR)  # the last scores 37
    there = [*rows[1:COMPARED], ("lamp", "next", score)]
    facts = remembered(rows, [row[2] if row in there else None for row in rows])

    assert neighbours(facts, table(there)).verdict == verdict


def test_a_card_is_compared_field_by_field_and_a_hash_without_a_listing_is_none() -> None:
    row = {"product_id": "lamp", "seller_id": "ann", "name": "", "category": "light", "currency": "BRL",
           "price_minor": 500, "listed": 1, "available": -1}  # fmt: skip
    card = ["ann", None, "light", "BRL", "500", "1", "0"]
    compared = cards(pa.Table.from_pylist([row]), {"lamp": card, "rug": [None] * 7})

    [difference] = compared.differences
    assert (difference.field, difference.left, difference.right) == ("available", -1, 0)
