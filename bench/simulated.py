"""How much of the best reachable ranking each model attains in a simulated marketplace, where it is known.

A shopper's views that follow from no recommendation are drawn from probabilities that the simulator knows
(docs/simulator.md). Ranking by them is the best that anyone can do but for the season.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from common.errors import UserError
from jobs.recommenders.evaluation import splits
from jobs.recommenders.evaluation.cases import Trial, shoppers_held_out
from jobs.recommenders.evaluation.metrics import Metric
from jobs.recommenders.interactions import Interactions, from_columns
from jobs.recommenders.ranking import top_k
from jobs.recommenders.registry import MODELS
from jobs.recommenders.vocabulary import Codes
from producers.simulator.draws import Floats
from producers.simulator.history.days import History
from producers.simulator.history.plan import Plan
from producers.simulator.world.shape import Shape

METRIC = Metric("ndcg", 20)
SHARE = 0.2
"""The newest views, which are held out."""

END_MS = 1_767_225_600_000
"""2026-01-01 UTC: the history ends on the same day in every run, so its season is the same."""


@dataclass(frozen=True)
class Attained:
    """A model's metric, and its share of that of the best reachable ranking."""

    value: float
    share: float


def marketplace(seed: int, products: int, shoppers: int, events: int) -> History:
    """A simulated marketplace of these sizes, of four weeks."""
    return History(
        Plan(Shape(seed=seed, sellers=50, products=products, shoppers=shoppers), END_MS, events=events)
    )


def views(history: History) -> Interactions:
    """The log of all views that follow from no recommendation; codes are the simulator's own numbers."""
    days = [history.draw_day(number) for number in range(history.plan.days)]
    shoppers = np.concatenate([day.visits.shopper[day.organic.visit] for day in days])
    products = np.concatenate([day.organic.product for day in days])
    times = np.concatenate([day.organic.at for day in days]) // 1_000
    world = history.world
    log = from_columns(shoppers, products, times=times, catalogue=range(len(world.products.ids)))
    return replace(log, categories=world.products.category.astype(np.int32))


def best_reachable(history: History, shoppers: Codes, k: int) -> Codes:
    """The products that each shopper most probably views, best first: int32 [shoppers, k]."""
    world = history.world
    love: Floats = world.shoppers.love[shoppers][:, world.products.category]
    within: Floats = world.shoppers.mixture[shoppers] @ world.tastes.within.T
    return top_k(
        (love * within).astype(np.float32), k, np.zeros(len(world.products.ids), np.float32)
    ).products


def attained(history: History, on_model: Callable[[str], None]) -> Mapping[str, Attained]:
    """Model, with its default settings → what it attains; without models that need what the log has not."""
    log = views(history)
    assert log.times is not None
    held = splits.latest(log.times, SHARE)
    trial = shoppers_held_out(log, held, "the newest fifth of all views")
    came = np.unique(log.shoppers[held])
    known = came[trial.log.histories.lengths[came] > 0]
    asked = np.array([log.shopper_vocabulary.ids[code] for code in known])
    best = _judged(trial, best_reachable(history, asked, METRIC.k))
    found = {"the best reachable": Attained(best, 1.0)}
    for name, model in MODELS.items():
        on_model(name)
        try:
            fitted = model().fit(trial.log)
        except UserError:
            continue
        value = _judged(trial, trial.cases.ask(fitted, METRIC.k, repeats=True))
        found[name] = Attained(value, value / best)
    return found


def _judged(trial: Trial, ranked: Codes) -> float:
    return float(trial.cases.judge(ranked, [METRIC])["all"].by_metric[METRIC].mean())
