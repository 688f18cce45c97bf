"""The stages of a search: many candidates on little of the log, then fewer on more of it.

Successive halving (Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter
Optimization, AISTATS 2016) with a step of refinement, and one of hybrids, before the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from jobs.recommenders.evaluation.cases import EvaluationSplit
from jobs.recommenders.interactions import Interactions


class Size(NamedTuple):
    """At most so many events to fit on and cases to judge with."""

    events: int
    cases: int


@dataclass(frozen=True)
class Stage:
    """One stage of a search: the sample size, and the `share` of the remaining time that it may use.

    A `size` of None is the size of the stage before. If `min_candidates` don't fit into half of the remaining
    time, the search skips the stage. With `batched`, all candidates of a round run on one split before the
    next split, so that hybrids share fitted members.
    """

    name: str
    size: Size | None
    share: float
    min_candidates: int = 1
    batched: bool = False


STAGES = (
    Stage("explore", Size(200_000, 1_000), 0.2),
    Stage("narrow", Size(1_000_000, 3_000), 0.2, min_candidates=4),
    Stage("refine", None, 0.2),
    Stage("combine", None, 1.0, batched=True),
    Stage("confirm", Size(1 << 62, 10_000), 1.0, min_candidates=2),
)
"""A small part of a log is sparser than all of it, which neighbourhoods suffer from more than other models:
it tells settings of one model apart better than models. So models are chosen on a million events, if there is
time for it. The last stage has the time that it needs, up to `CONFIRM_SHARE` of all, from the one before.
"""

CONFIRM_SHARE = 0.15
WARM_UP = Size(500, 10)

CANDIDATE_COUNTS = (*range(4), *(step << power for power in range(30) for step in (4, 5, 6, 7)))
"""How many of many are tried: 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, …: in steps that two runs, which never take the
same time to the millisecond, seldom fall on two sides of."""


def affordable(seconds: Sequence[float], left_s: float) -> int:
    """Return how many of the first candidates fit into `left_s`: all, or a value of `CANDIDATE_COUNTS`.

    `seconds` holds the expected duration of each candidate.
    """
    count = sum(total <= left_s for total in accumulate(seconds))
    return count if count == len(seconds) else max(step for step in CANDIDATE_COUNTS if step <= count)


def fitting_subset(seconds: Sequence[float], left_s: float) -> list[int]:
    """Which candidates fit into what is left beside those before them."""
    found = []
    for place, each in enumerate(seconds):
        if each <= left_s:
            left_s -= each
            found.append(place)
    return found


def subsample(eval_split: EvaluationSplit, size: Size, seed: int) -> EvaluationSplit:
    """The trial with at most as many events, of random shoppers, and as many cases."""
    return replace(
        eval_split,
        log=_fewer(eval_split.log, size.events, seed),
        cases=eval_split.cases.sample(size.cases, seed),
    )


def _fewer(log: Interactions, limit: int, seed: int) -> Interactions:
    """Whole shoppers, or sessions where there are any, drawn at random until there are `limit` events."""
    if len(log) <= limit:
        return log
    groups = log.shoppers if log.sessions is None else log.sessions
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    taken = order[: max(1, int(np.searchsorted(sizes[order].cumsum(), limit, side="right")))]
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    chosen[taken] = True
    return log.select_events(chosen[groups])
