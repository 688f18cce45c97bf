"""The stages of a search: many candidates on little of the log, then fewer on more of it.

Successive halving (Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter
Optimization, AISTATS 2016) with a step of refinement, and one of hybrids, before the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from jobs.recommenders.evaluation.cases import Trial
from jobs.recommenders.interactions import Interactions


class Size(NamedTuple):
    """At most so many events to fit on and cases to judge with."""

    events: int
    cases: int


@dataclass(frozen=True)
class Stage:
    """What is tried at a size (None: that of the stage before), for a `share` of the time that is left.

    Where there is no time for the `least` candidates in half of what is left, the stage is left out. With
    `together`, candidates of a round are tried on one cut after the other, so that they share what is fitted.
    """

    name: str
    size: Size | None
    share: float
    least: int = 1
    together: bool = False


STAGES = (
    Stage("explore", Size(200_000, 1_000), 0.2),
    Stage("narrow", Size(1_000_000, 3_000), 0.2, least=4),
    Stage("refine", None, 0.2),
    Stage("combine", None, 1.0, together=True),
    Stage("confirm", Size(1 << 62, 10_000), 1.0, least=2),
)
"""A small part of a log is sparser than all of it, which neighbourhoods suffer from more than other models:
it tells settings of one model apart better than models. So models are chosen on a million events, if there is
time for it. The last stage has the time that it needs, up to `CONFIRMING` of all, from the one before.
"""

CONFIRMING = 0.15
WARM_UP = Size(500, 10)

LADDER = (*range(4), *(step << power for power in range(30) for step in (4, 5, 6, 7)))
"""How many of many are tried: 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, …: in steps that two runs, which never take the
same time to the millisecond, seldom fall on two sides of."""


def affordable(seconds: Sequence[float], left_s: float) -> int:
    """How many of the first candidates, of so many seconds, fit into what is left: all, or of `LADDER`."""
    count = sum(total <= left_s for total in accumulate(seconds))
    return count if count == len(seconds) else max(step for step in LADDER if step <= count)


def picked(seconds: Sequence[float], left_s: float) -> list[int]:
    """Which candidates fit into what is left beside those before them."""
    found = []
    for place, each in enumerate(seconds):
        if each <= left_s:
            left_s -= each
            found.append(place)
    return found


def shrunk(trial: Trial, size: Size, seed: int) -> Trial:
    """The trial with at most as many events, of random shoppers, and as many cases."""
    return replace(
        trial, log=_fewer(trial.log, size.events, seed), cases=trial.cases.sample(size.cases, seed)
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
