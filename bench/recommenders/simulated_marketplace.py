"""Measures each model against the best reachable ranking of a simulated marketplace.

The simulator draws a shopper's organic views from known probabilities (docs/simulator.md). A ranking by these
probabilities is the best reachable one, apart from seasonal effects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from common.errors import UserError
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.randomness import Floats
from producers.simulator.world.shape import WorldShape
from recommenders.evaluation import splits
from recommenders.evaluation.cases import EvaluationSplit, shoppers_held_out
from recommenders.evaluation.metrics import Metric
from recommenders.histories import Codes
from recommenders.interactions import Interactions, from_columns
from recommenders.ranking import top_k
from recommenders.registry import MODELS

METRIC = Metric("ndcg", 20)
SHARE = 0.2
"""The newest share of the views, which is held out."""

END_MS = 1_767_225_600_000
"""2026-01-01 UTC: the history ends on the same day in every run, so its season is the same."""


@dataclass(frozen=True)
class Attained:
    """A model's metric, and its share of the metric of the best reachable ranking."""

    value: float
    share: float


def marketplace(seed: int, products: int, shoppers: int, events: int) -> SimulatedHistory:
    """Return a simulated marketplace of these sizes with a history of four weeks."""
    return SimulatedHistory(
        HistoryPlan(
            WorldShape(seed=seed, sellers=50, products=products, shoppers=shoppers), END_MS, events=events
        )
    )


def views(history: SimulatedHistory) -> Interactions:
    """Return the log of all organic views; its codes are the simulator's own numbers."""
    days = [history.draw_day(number) for number in range(history.plan.days)]
    shoppers = np.concatenate([day.visits.shopper[day.organic.visit] for day in days])
    products = np.concatenate([day.organic.product for day in days])
    times = np.concatenate([day.organic.at for day in days]) // 1_000
    world = history.world
    log = from_columns(shoppers, products, times=times, catalogue=range(len(world.products.ids)))
    return replace(log, categories=world.products.category.astype(np.int32))


def best_reachable(history: SimulatedHistory, shoppers: Codes, k: int) -> Codes:
    """Return the products that each shopper most probably views, best first: int32 [shoppers, k]."""
    world = history.world
    category_preference: Floats = world.shoppers.preference[shoppers][:, world.products.category]
    product_preference: Floats = world.shoppers.mixture[shoppers] @ world.tastes.within.T
    return top_k(
        (category_preference * product_preference).astype(np.float32),
        k,
        np.zeros(len(world.products.ids), np.float32),
    ).products


def attained(history: SimulatedHistory, on_model: Callable[[str], None]) -> Mapping[str, Attained]:
    """Evaluate every model with its default settings; models that need data the log lacks are skipped."""
    log = views(history)
    assert log.times is not None
    held_out = splits.latest(log.times, SHARE)
    evaluation_split = shoppers_held_out(log, held_out, "the newest fifth of all views")
    test_shoppers = np.unique(log.shoppers[held_out])
    known_shoppers = test_shoppers[evaluation_split.log.histories.lengths[test_shoppers] > 0]
    known_ids = np.array([log.shopper_vocabulary.ids[code] for code in known_shoppers])
    best = _mean_metric(evaluation_split, best_reachable(history, known_ids, METRIC.k))
    results = {"the best reachable": Attained(best, 1.0)}
    for name, model in MODELS.items():
        on_model(name)
        try:
            fitted = model().fit(evaluation_split.log)
        except UserError:
            continue
        value = _mean_metric(
            evaluation_split, evaluation_split.cases.rank_with(fitted, METRIC.k, repeats=True)
        )
        results[name] = Attained(value, value / best)
    return results


def _mean_metric(evaluation_split: EvaluationSplit, ranked: Codes) -> float:
    return float(evaluation_split.cases.evaluate(ranked, [METRIC])["all"].by_metric[METRIC].mean())
