"""Top k, products of sparse matrices, and the compact form, compared with plain computations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from recommenders.compact import CompactModel
from recommenders.ranking import top_k
from recommenders.sparse import largest_of_product, largest_per_row, scaled

SCORES = st.one_of(st.sampled_from([-np.inf, 0.0, 1.0]), st.floats(-3, 3, width=32))


@given(
    arrays(np.float32, st.tuples(st.integers(1, 3), st.just(9)), elements=SCORES),
    st.integers(0, 12),
    st.data(),
)
def test_the_best_are_those_of_a_whole_sort(scores: np.ndarray, k: int, data: st.DataObject) -> None:
    prior = np.array(data.draw(st.lists(st.integers(0, 2), min_size=9, max_size=9)), np.float32)

    ranked = top_k(scores, k, prior)
    for row, listed, told in zip(scores, ranked.products, ranked.scores, strict=True):
        order = [
            code
            for code in sorted(range(9), key=lambda code: (-row[code], -prior[code], code))
            if row[code] > -np.inf
        ]
        expected = (order[:k] + [-1] * k)[:k]
        assert listed.tolist() == expected
        assert told.tolist() == [row[code] if code >= 0 else -np.inf for code in expected]


@pytest.mark.parametrize("values", [[-np.inf, -2.0, -1.0, -0.0, 0.0, 1.0], [0.0, -0.0], [-np.inf, -3.0]])
@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("k", [1, 20, 4_000])
def test_the_best_of_many_are_those_of_a_whole_sort(values: list[float], noise: float, k: int) -> None:
    rng = np.random.default_rng(3)
    scores = (rng.choice(values, (3, 3_001)) + noise * rng.normal(size=(3, 3_001))).astype(np.float32)
    prior = rng.integers(0, 50, 3_001).astype(np.float32)

    ranked = top_k(scores, k, prior)
    for row, listed in zip(scores, ranked.products, strict=True):
        order = np.lexsort((-prior, -row))
        expected = order[row[order] > -np.inf][:k]
        assert listed[: len(expected)].tolist() == expected.tolist()
        assert (listed[len(expected) :] == -1).all()


SMALL = arrays(np.float32, (6, 6), elements=st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0]))


@given(SMALL, SMALL, st.integers(1, 7), st.booleans())
def test_a_product_of_which_the_largest_are_kept(
    left: np.ndarray, right: np.ndarray, most: int, diagonal: bool
) -> None:
    found = largest_of_product(csr_array(left), csr_array(right), most, diagonal).toarray()

    whole = left @ right
    if not diagonal:
        np.fill_diagonal(whole, 0.0)
    for row, kept in zip(whole, found, strict=True):
        order = sorted(range(6), key=lambda column: (-row[column], column))[:most]
        np.testing.assert_allclose(kept, [row[column] if column in order else 0.0 for column in range(6)])


def test_a_scaled_matrix_has_the_powers_of_its_sums() -> None:
    matrix = csr_array(np.array([[1.0, 3.0], [0.0, 1.0], [0.0, 0.0]], np.float32))

    assert np.allclose(scaled(matrix, 1.0, 0.0).toarray(), [[0.25, 0.75], [0, 1], [0, 0]])
    assert np.allclose(scaled(matrix, 0.5, 0.5).toarray(), [[0.5, 0.75], [0, 0.5], [0, 0]])


@given(st.lists(st.integers(-3, 9), max_size=8), st.booleans())
def test_folding_in_passes_over_what_has_no_place_in_the_catalogue(history: list[int], repeats: bool) -> None:
    matrix = csr_array(np.ones((6, 6), np.float32))
    compact = CompactModel(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data,
        np.zeros(6, np.float32),
        0.5,
    )

    known = [code for code in history if 0 <= code < 6]
    found, expected = (compact.fold_in(np.array(each, np.int32), 4, repeats) for each in (history, known))
    assert found.products.tolist() == expected.products.tolist()
    assert found.scores.tolist() == expected.scores.tolist()


@settings(max_examples=50)
@given(SMALL, st.lists(st.integers(0, 5), max_size=8), st.integers(0, 8), st.booleans())
def test_folding_in_adds_up_what_the_neighbours_say(
    weights: np.ndarray, history: list[int], k: int, repeats: bool
) -> None:
    matrix, prior = largest_per_row(csr_array(weights), 6), np.array([3, 1, 2, 2, 0, 5], np.float32)
    compact = CompactModel(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data, prior, 0.5
    )

    sums = sum((0.5**age * weights[seen] for age, seen in enumerate(reversed(history))), np.zeros(6))
    allowed = [code for code in range(6) if repeats or code not in history]
    for _ in range(2):
        ranked = compact.fold_in(np.array(history, np.int32), k, repeats)
        listed = [code for code in ranked.products[0].tolist() if code >= 0]
        assert len(listed) == min(k, len(allowed))
        assert set(listed) <= set(allowed)
        np.testing.assert_allclose(sums[listed], sorted(sums[allowed], reverse=True)[:k], rtol=1e-5)
        unsaid = [code for code in listed if sums[code] == 0]
        assert unsaid == sorted(unsaid, key=lambda code: (-prior[code], code))


@pytest.mark.parametrize(("decay", "events"), [(0.5, 8), (1.0, 1), (1.0, 25), (1.0, 3_000)])
@pytest.mark.parametrize("repeats", [False, True])
def test_folding_in_over_a_whole_catalogue_is_a_sort_of_the_sums(
    decay: float, events: int, repeats: bool
) -> None:
    rng = np.random.default_rng(events)
    weights = rng.integers(1, 9, (1_500, 1_500)) / 8 * (rng.random((1_500, 1_500)) < 0.02)
    matrix, prior = csr_array(weights.astype(np.float32)), rng.integers(0, 9, 1_500).astype(np.float32)
    compact = CompactModel(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data, prior, decay
    )

    for _ in range(3):
        history = rng.integers(0, 1_500, events).astype(np.int32)
        sums = np.power(decay, np.arange(events)[::-1]) @ weights[history]
        order = np.lexsort((-prior, -sums))
        allowed = order if repeats else order[~np.isin(order, history)]
        for k in (20, 1_500):
            ranked = compact.fold_in(history, k, repeats)
            assert ranked.products[0, : len(allowed)].tolist() == allowed[:k].tolist()
            assert ranked.scores[0, : len(allowed)].tolist() == sums[allowed[:k]].tolist()
            assert (ranked.products[0, len(allowed) :] == -1).all()
            assert (ranked.scores[0, len(allowed) :] == -np.inf).all()
