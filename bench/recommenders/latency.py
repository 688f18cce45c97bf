"""Measures how long a recommender takes to rank products for a shopper or a visit, beside implicit.

It uses one thread, and a synthetic log as large as Gowalla's. Times depend on sizes and skew, not on tastes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommenders.histories import Codes, Histories
from recommenders.interactions import Interactions, from_columns
from recommenders.registry import MODELS

T = TypeVar("T")

K = 20
WARM_UP = 50
SHOPPERS = 30_000
PRODUCTS = 41_000
EVENTS = 800_000
VISIT = 5
"""Events of a visit, about the mean of the published logs."""

FOLD_IN_AIM_US = (30, 100)
SESSION_AIM_US = 100


@dataclass(frozen=True)
class AnswerLatency:
    """Quantiles of the time of one answer, in microseconds."""

    answers: int
    p50_us: float
    p99_us: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "AnswerLatency":
        """Return the quantiles of durations in seconds."""
        p50, p99 = np.percentile(np.array(seconds) * 1e6, [50, 99])
        return cls(len(seconds), round(float(p50), 1), round(float(p99), 1))


def synthetic_log(seed: int) -> Interactions:
    """Return a log of visits of skewed lengths to products of skewed popularity, each near the one before."""
    rng = np.random.default_rng(seed)
    shoppers = np.sort(
        np.minimum(rng.zipf(1.3, EVENTS) - 1 + rng.integers(0, SHOPPERS, EVENTS), SHOPPERS - 1)
    )
    shares = 1.0 / np.arange(1, PRODUCTS + 1) ** 0.7
    popular = rng.choice(PRODUCTS, EVENTS, p=shares / shares.sum())
    near = np.roll(popular, 1) + rng.integers(1, 50, EVENTS)
    products = np.where(rng.random(EVENTS) < 0.5, near % PRODUCTS, popular)
    return from_columns(shoppers, products, sessions=np.arange(EVENTS) // VISIT, catalogue=range(PRODUCTS))


def ours(log: Interactions, names: Sequence[str], answers: int) -> dict[str, AnswerLatency]:
    """Return the latencies of our models: a history and a visit folded in, and a visit by the own scores."""
    latencies = {}
    shoppers, visits = _evenly_spaced(log.histories, answers), _evenly_spaced(log.sequences, answers)
    alone = [Histories.of([visit]) for visit in visits]
    for name in names:
        model = MODELS[name]().fit(log)
        latencies[f"{name}, fold-in of a shopper"] = _timed(partial(model.fold_in, k=K), shoppers)
        latencies[f"{name}, fold-in of a visit"] = _timed(partial(model.fold_in, k=K, repeats=True), visits)
        latencies[f"{name}, a visit by its own scores"] = _timed(partial(model.recommend, k=K), alone)
    return latencies


def peers(log: Interactions, answers: int) -> dict[str, AnswerLatency]:
    """Return the latencies of implicit's `recommend` for one shopper whose factors it recalculates."""
    matrix = csr_matrix(log.matrix)
    rows = [matrix[row] for row in np.linspace(0, matrix.shape[0] - 1, answers + WARM_UP).astype(int)]
    latencies = {}
    for title, model in (
        ("implicit, cosine of items", CosineRecommender(K=500, num_threads=1)),
        ("implicit, ALS of 64 factors", AlternatingLeastSquares(factors=64, iterations=3, num_threads=1)),
    ):
        model.fit(matrix, show_progress=False)
        latencies[title] = _timed(partial(model.recommend, 0, N=K, recalculate_user=True), rows)
    return latencies


def measure(names: Sequence[str], answers: int, seed: int) -> dict[str, AnswerLatency]:
    """Return latencies by title, ours and the peers', on one thread (BLAS and OpenMP included)."""
    log = synthetic_log(seed)
    with threadpool_limits(1):
        return ours(log, names, answers) | peers(log, answers)


def _evenly_spaced(histories: Histories, count: int) -> list[Codes]:
    rows = np.flatnonzero(histories.lengths)
    return list(histories.take(rows[np.linspace(0, len(rows) - 1, count + WARM_UP).astype(int)]))


def _timed(answer: Callable[[T], object], inputs: Sequence[T]) -> AnswerLatency:
    """Time all calls but the first `WARM_UP`, which compile code and fill caches."""
    durations = []
    for each in inputs:
        began_s = time.perf_counter()
        answer(each)
        durations.append(time.perf_counter() - began_s)
    return AnswerLatency.of(durations[WARM_UP:])
