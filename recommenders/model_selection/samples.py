"""Draws small samples of validation splits, so that many candidates can be tried."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from recommenders.evaluation.cases import EvaluationSplit
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
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    drawn = order[: max(1, int(np.searchsorted(sizes[order].cumsum(), limit, side="right")))]
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    chosen[drawn] = True
    return log.select_events(chosen[groups])
