"""The metrics and sets of the judge, against a plain reference that goes through one list at a time."""

from itertools import pairwise
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from recommenders.evaluation.metrics import METRICS, Metric, evaluate_lists, evaluate_parts, parse_metrics
from recommenders.evaluation.sets import ProductSets

PRODUCTS = 12
SETS = st.lists(st.sets(st.integers(0, PRODUCTS - 1)), min_size=1, max_size=8)


def sets_of(sets: list[set[int]]) -> ProductSets:
    pairs = [(row, product) for row, each in enumerate(sets) for product in each]
    rows, products = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return ProductSets.of(rows, products, len(sets))


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, list[set[int]], list[set[int]], int]:
    right = draw(SETS)
    known = draw(st.lists(st.sets(st.integers(0, PRODUCTS - 1)), min_size=len(right), max_size=len(right)))
    lists = [draw(st.permutations(range(PRODUCTS)))[: draw(st.integers(0, PRODUCTS))] for _ in right]
    ranked = np.array([[*each, *[-1] * (PRODUCTS - len(each))] for each in lists], dtype=np.int32)
    return ranked, right, known, draw(st.integers(1, PRODUCTS))


def plain(name: str, listed: list[int], right: set[int], k: int) -> float:
    found = [product in right for product in listed[:k]]
    gain = sum(1 / log2(place + 2) for place, good in enumerate(found) if good)
    best = sum(1 / log2(place + 2) for place in range(min(k, len(right))))
    precisions = [sum(found[: place + 1]) / (place + 1) for place, good in enumerate(found) if good]
    return {
        "recall": sum(found) / len(right),
        "precision": sum(found) / k,
        "hit": float(any(found)),
        "mrr": next((1 / (place + 1) for place, good in enumerate(found) if good), 0.0),
        "map": sum(precisions) / min(k, len(right)),
        "ndcg": gain / best,
    }[name]


@given(case=judged())
def test_a_metric_is_what_its_definition_says(case):
    ranked, right, _, k = case

    found = evaluate_lists(ranked, sets_of(right), [Metric(name, k) for name in METRICS])

    asked = [row for row, each in enumerate(right) if each]
    assert found.rows.tolist() == asked
    for metric, values in found.by_metric.items():
        assert values == pytest.approx(
            [plain(metric.name, ranked[row].tolist(), right[row], k) for row in asked]
        )


@given(case=judged())
def test_new_products_and_repeats_are_judged_apart(case):
    ranked, right, known, k = case
    metric = Metric("recall", k)

    parts = evaluate_parts(ranked, sets_of(right), sets_of(known), [metric])

    for part, wanted in (
        ("all", right),
        ("new", [a - b for a, b in zip(right, known, strict=True)]),
        ("repeats", [a & b for a, b in zip(right, known, strict=True)]),
    ):
        alone = evaluate_lists(ranked, sets_of(wanted), [metric])
        assert parts[part].rows.tolist() == alone.rows.tolist()
        assert parts[part].by_metric[metric] == pytest.approx(alone.by_metric[metric])


@given(first=SETS, data=st.data())
def test_sets_do_what_sets_do(first, data):
    second = data.draw(
        st.lists(st.sets(st.integers(0, PRODUCTS - 1)), min_size=len(first), max_size=len(first))
    )
    rows = data.draw(st.lists(st.integers(0, len(first) - 1), max_size=5))

    one, other = sets_of(first), sets_of(second)

    assert plain_sets(one) == first
    assert plain_sets(one.common(other)) == [a & b for a, b in zip(first, second, strict=True)]
    assert plain_sets(one.without(other)) == [a - b for a, b in zip(first, second, strict=True)]
    assert plain_sets(one.take(np.array(rows, dtype=np.int64))) == [first[row] for row in rows]


def plain_sets(sets: ProductSets) -> list[set[int]]:
    return [set(sets.products[first:end].tolist()) for first, end in pairwise(sets.indptr)]


def test_a_pair_that_comes_twice_counts_once():
    twice = ProductSets.of(np.array([0, 0]), np.array([3, 3]), 1)

    assert twice.products.tolist() == [3]


def test_sets_of_more_rows_than_are_looked_at_at_once_are_looked_through_to_the_end():
    rows = np.arange(120_000)
    sets = ProductSets.of(rows, rows % 7, len(rows))

    found = sets.contains(np.stack([rows % 7, (rows + 1) % 7], axis=1).astype(np.int32))

    assert found[:, 0].all()
    assert not found[:, 1].any()


@pytest.mark.parametrize(
    ("ranked", "says"),
    [([[1, 2, 1]], "twice"), ([[1, -1, 2]], "product after a -1"), ([[1, 2]], "recall@3 of lists of 2")],
)
def test_lists_that_are_none_are_refused(ranked, says):
    with pytest.raises(ValueError, match=says):
        evaluate_lists(np.array(ranked, dtype=np.int32), sets_of([{1}]), [Metric("recall", 3)])


def test_lists_of_other_rows_are_refused():
    with pytest.raises(ValueError, match="2 lists for 1 sets"):
        evaluate_lists(np.zeros((2, 1), dtype=np.int32), sets_of([{1}]), [Metric("recall", 1)])


def test_metrics_are_read_as_people_write_them():
    assert parse_metrics("Recall@20, hr@10,recall@20") == (Metric("recall", 20), Metric("hit", 10))


@pytest.mark.parametrize("said", ["recall", "recall@0", "recall@", "taste@20", "recall@-1", "recall@99999"])
def test_what_is_no_metric_is_named_with_what_there_is(said):
    with pytest.raises(UserError, match=f"'{said}' is not a metric: write recall@20"):
        parse_metrics(said)


def test_no_metric_at_all_is_refused():
    with pytest.raises(UserError, match="name a metric"):
        parse_metrics(" , ")
