"""The stages of a search: many candidates on a small part of the log, then fewer candidates on a larger part.

Small samples of the validation splits are drawn, so that many candidates can be tried.

This is successive halving (Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter
Optimization, AISTATS 2016), with a stage of refinement and a stage of hybrids before the last stage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from recommenders.evaluation.cases import EvaluationSplit
from recommenders.evaluation.splits import random_groups_within
from recommenders.interactions import Interactions

ALL = 1 << 62
"""A number of events that no log has."""


class SampleSize(NamedTuple):
    """The largest numbers of events to fit on, of cases to evaluate, and of random splits to confirm on."""

    events: int
    cases: int
    folds: int = 1


@dataclass
class Samples:
    """Samples of the splits of a search, and of those that confirm its choice, each drawn once."""

    eval_splits: Sequence[EvaluationSplit]
    confirmation_splits: Sequence[EvaluationSplit]
    seed: int
    _drawn: dict[tuple[SampleSize, bool], list[EvaluationSplit]] = field(default_factory=dict)

    def of(self, size: SampleSize, confirms: bool = False) -> list[EvaluationSplit]:
        """Return the splits of the search with this size or, with `confirms`, those that confirm.

        If there are none that confirm, these are the splits of the search.
        """
        confirms = confirms and bool(self.confirmation_splits)
        if (size, confirms) not in self._drawn:
            eval_splits = self.confirmation_splits[: size.folds] if confirms else self.eval_splits
            self._drawn[size, confirms] = [subsample(each, size, self.seed) for each in eval_splits]
        return self._drawn[size, confirms]


def subsample(eval_split: EvaluationSplit, size: SampleSize, seed: int) -> EvaluationSplit:
    """Return a split with at most `size.events` events, of random shoppers, and `size.cases` cases."""
    return replace(
        eval_split,
        log=_sampled(eval_split.log, size.events, seed),
        cases=eval_split.cases.sample(size.cases, seed),
    )


def _sampled(log: Interactions, limit: int, seed: int) -> Interactions:
    """Return all events of random sessions, or of random shoppers if the log has no sessions.

    The result has at most `limit` events, or one session with more events.
    """
    if len(log) <= limit:
        return log
    groups = log.shoppers if log.sessions is None else log.sessions
    return log.select_events(random_groups_within(groups, limit, np.random.default_rng(seed)))


@dataclass(frozen=True)
class Stage:
    """One stage of a search: its sample sizes, and the `share` of the remaining time that it may use.

    The stage uses the first of its `sizes` on which its first round is expected to take at most `first_share`
    of the remaining time. The whole first round runs, so that all its candidates are compared on the same
    cases. Without `sizes`, the stage uses the size of the stage before, and its rounds run the candidates
    that fit into the time: with `packed`, any of them, otherwise those before the first that does not fit.
    With `batched`, all candidates of a round run on one split before the next split, so that hybrids share
    fitted members. A round runs at most `per_round` candidates. An
    `optional` stage uses time that is left, and is not missed without it.
    """

    name: str
    sizes: Sequence[SampleSize]
    share: float
    first_share: float = 0.5
    packed: bool = False
    batched: bool = False
    per_round: int = 1_000
    optional: bool = False


def _halved(events: int, cases: int, times: int) -> list[SampleSize]:
    return [SampleSize(events >> power, cases) for power in range(times + 1)]


PILOT = SampleSize(10_000, 200)
PILOTS = (SampleSize(2_500, 50), PILOT)
"""The sizes of the first trials of all models, from which the duration of larger trials is predicted."""

STAGES = (
    Stage("explore", [*_halved(200_000, 1_000, 3), PILOT], 0.2, first_share=0.3),
    Stage("narrow", _halved(1_000_000, 3_000, 4), 0.2),
    Stage("refine", [], 0.2),
    Stage("combine", [], 1.0, packed=True, batched=True),
    Stage("extend", [], 1.0, packed=True, per_round=6, optional=True),
    Stage(
        "confirm",
        [
            *(SampleSize(ALL, 10_000, folds) for folds in (4, 2, 1)),
            SampleSize(ALL, 5_000),
            *_halved(1 << 23, 3_000, 9),
        ],
        1.0,
        first_share=1.0,
    ),
)
"""The stages in order. `narrow` and `confirm` need a larger sample than the stage before.

A small part of a log is sparser than the whole log, which harms neighbourhood models more than others. A
small sample therefore compares settings of one model better than it compares models. Models are compared on
a million events if there is enough time. `combine` leaves time for `confirm`, at most `CONFIRM_SHARE`.
"""

CONFIRM_SHARE = 0.15
"""The largest share of the budget to reserve for the stage `confirm`; twice as much for two finalists."""

CONFIRM_SIZE = SampleSize(ALL, 10_000)
"""The size for which the time of two finalists is reserved."""

WARM_UP = SampleSize(500, 10)
"""The size of the trials that compile the models."""

CANDIDATE_COUNTS = (*range(4), *(step << power for power in range(30) for step in (4, 5, 6, 7)))
"""The allowed numbers of candidates if there is no time for all: 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, …

The steps are wide, so that small differences in run time rarely change the number of candidates.
"""


def affordable(seconds: Sequence[float], left_s: float) -> int:
    """Return how many of the first candidates fit into `left_s`: all, or a value of `CANDIDATE_COUNTS`.

    `seconds` holds the expected duration of each candidate.
    """
    count = sum(total <= left_s for total in accumulate(seconds))
    return count if count == len(seconds) else max(step for step in CANDIDATE_COUNTS if step <= count)


def fitting_subset(seconds: Sequence[float], left_s: float) -> list[int]:
    """Return the indices of candidates that fit into `left_s`, each after the earlier ones that fit."""
    fitting = []
    for place, each in enumerate(seconds):
        if each <= left_s:
            left_s -= each
            fitting.append(place)
    return fitting
