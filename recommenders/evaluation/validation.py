"""Cuts validation splits from a log: parts that settings are chosen on, apart from the test."""

from collections.abc import Sequence

import numpy as np

from common.errors import UserError
from recommenders.evaluation import splits
from recommenders.evaluation.cases import EvaluationSplit, shoppers_held_out
from recommenders.evaluation.sets import Flags
from recommenders.interactions import Interactions

SHARE = 0.2
"""The share of events to hold out: of all events, or of each shopper's."""

FOLDS = round(1 / SHARE)
MAX_EVENTS_OF_FOLDS = 2_000_000
"""The largest number of events of which all folds are in memory at once."""

NEWEST = {0.1: "the newest tenth", 0.2: "the newest fifth"}
"""The validation splits by time: the share to hold out, and the name of the split."""


def held_out(log: Interactions, held: Flags, name: str) -> EvaluationSplit:
    """Return `shoppers_held_out`, and require at least one case.

    Raises:
        UserError: no shopper has both a held-out event and another event.
    """
    if not held.any():
        raise UserError("no event can be held out: no shopper has two events; use a longer log")
    eval_split = shoppers_held_out(log, held, name)
    if not len(eval_split.cases):
        raise UserError(
            "no shopper has events on both sides of the cut: use a longer log, or another --protocol"
        )
    return eval_split


def validation_splits(log: Interactions, seed: int) -> Sequence[EvaluationSplit]:
    """Return validation splits of a log. A model must do well on all of them.

    If the log has times, the newest events are held out. If it has an order but no times, or no shopper has
    both old and new events, a part of each shopper's events is held out: a random part, a run of consecutive
    events and, if the log has no times, the last events. The run is there because random events are too easy
    to predict if shoppers act in bursts, such as the check-ins of a journey. If the log has no order, a
    random part of each shopper's events is held out.

    Raises:
        UserError: nothing can be held out.
    """
    if not log.ordered:
        return [_random_fold(log, seed, 0)]
    if log.times is not None and len(np.unique(log.times)) > 1:
        eval_splits = [
            shoppers_held_out(log, splits.latest(log.times, share), name) for share, name in NEWEST.items()
        ]
        if any(len(eval_split.cases) for eval_split in eval_splits):
            return [eval_split for eval_split in eval_splits if len(eval_split.cases)]
    order = np.arange(len(log))
    run = splits.random_run_of_each(log.shoppers, order, SHARE, seed)
    eval_splits = [
        _random_fold(log, seed, 0),
        held_out(log, run, "a run of a fifth of each shopper's events"),
    ]
    if log.times is None:
        last = splits.last_share_of_each(log.shoppers, order, SHARE)
        eval_splits.append(held_out(log, last, "the last fifth of each shopper's events"))
    return eval_splits


def confirmation_splits(log: Interactions, seed: int) -> Sequence[EvaluationSplit]:
    """Return the other folds of a log without an order: four, or one if the log is large.

    Raises:
        UserError: nothing can be held out.
    """
    folds = FOLDS if len(log) <= MAX_EVENTS_OF_FOLDS else 2
    return [_random_fold(log, seed, fold) for fold in range(1, folds)]


def _random_fold(log: Interactions, seed: int, fold: int) -> EvaluationSplit:
    name = f"{'another' if fold else 'a'} random fifth of each shopper's events"
    return held_out(log, splits.random_share_of_each(log.shoppers, SHARE, seed, fold), name)
