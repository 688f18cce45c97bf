"""The stages of a search: many candidates on little of the log, then fewer on more of it.

Successive halving (Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter
Optimization, AISTATS 2016) with a step of refinement, and one of hybrids, before the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jobs.recommenders.evaluation.cases import Trial
from jobs.recommenders.interactions import Interactions


@dataclass(frozen=True)
class Stage:
    """At most so many events to fit on and cases to judge with, for a share of the budget.

    `cost` is how many single models a candidate of this stage costs.
    """

    name: str
    events: int
    cases: int
    share: float
    cost: float = 1.0


STAGES = (
    Stage("explore", 200_000, 1_000, 0.25),
    Stage("narrow", 1_000_000, 3_000, 0.15),
    Stage("refine", 1_000_000, 3_000, 0.1),
    Stage("combine", 1_000_000, 3_000, 0.25, cost=6.0),
    Stage("confirm", 1 << 62, 10_000, 0.2, cost=2.0),
)
"""What is left of the budget is for the last fit, on the whole log.

A small part of a log is sparser than all of it, which neighbourhoods suffer from more than other models: it
tells settings of one model apart better than models. So models are chosen on a million events.
"""

WARM_UP = Stage("warm up", 500, 10, 0.0)

_FIXED_S = 0.2
_EVENTS_PER_S = 100_000
_SCORES_PER_S = 60e6


def slots(stage: Stage, trials: Sequence[Trial], budget_s: float) -> int:
    """How many candidates a stage tries: from what a fit usually costs, so that a clock does not decide."""
    cost_s = 0.0
    for trial in trials:
        events, cases = min(stage.events, len(trial.log)), min(stage.cases, len(trial.cases))
        cost_s += _FIXED_S + events / _EVENTS_PER_S + cases * trial.log.product_count / _SCORES_PER_S
    return max(1, int(stage.share * budget_s / (cost_s * stage.cost)))


def shrunk(trial: Trial, stage: Stage, seed: int) -> Trial:
    """The trial with at most as many events as the stage takes, of random shoppers, and as many cases."""
    return replace(
        trial, log=_fewer(trial.log, stage.events, seed), cases=trial.cases.sample(stage.cases, seed)
    )


def _fewer(log: Interactions, most: int, seed: int) -> Interactions:
    """Whole shoppers, or sessions where there are any, drawn at random until there are `most` events."""
    if len(log) <= most:
        return log
    groups = log.shoppers if log.sessions is None else log.sessions
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    taken = order[: max(1, int(np.searchsorted(sizes[order].cumsum(), most, side="right")))]
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    chosen[taken] = True
    return log.keep(chosen[groups])
