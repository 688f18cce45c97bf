"""Chooses the events of a log to hold out: bool [events], True for events that models must not see.

Every group keeps at least one event, except where whole groups are held out. `validation_splits` are parts of
the log that settings are chosen on, apart from the test.
"""

from collections.abc import Sequence

import numpy as np

from common.errors import UserError
from recommenders.evaluation.cases import EvaluationSplit, shoppers_held_out
from recommenders.evaluation.sets import Flags, Numbers
from recommenders.histories import Ints, number_that_fit
from recommenders.interactions import Interactions


def latest(times: Ints, share: float) -> Flags:
    """Hold out the newest `share` of all events. Events with equal times are not separated.

    Raises:
        UserError: every event has the same time.
    """
    ordered = np.sort(times)
    cut = ordered[min(int(np.ceil(len(times) * (1 - share))), len(times)) - 1]
    held: Flags = times > cut
    if not held.any():
        held = times == ordered[-1]
    if held.all():
        raise UserError("all events have the same time: leave out the time column, or give a test file")
    return held


def last_of_each(groups: Numbers, order: Numbers, count: int = 1) -> Flags:
    """Hold out the last `count` events of each group with more events, by `order` and then by row."""
    from_end, sizes = _places_from_end(groups, np.lexsort((order, groups)))
    return (from_end < count) & (sizes > count)


def last_share_of_each(groups: Numbers, order: Numbers, share: float) -> Flags:
    """Hold out the last `share` of each group's events, rounded, by `order` and then by row."""
    from_end, sizes = _places_from_end(groups, np.lexsort((order, groups)))
    return from_end < np.minimum(np.rint(sizes * share), sizes - 1)


def random_share_of_each(groups: Numbers, share: float, seed: int, fold: int = 0) -> Flags:
    """Hold out a random `share` of each group's events, rounded.

    The folds 0, 1, … of the same seed have no event in common.
    """
    order = np.random.default_rng(seed).permutation(len(groups))
    from_end, sizes = _places_from_end(groups, np.lexsort((order, groups)))
    first, end = np.rint(sizes * share * fold), np.rint(sizes * share * (fold + 1))
    return np.asarray((from_end >= first) & (from_end < np.minimum(end, first + sizes - 1)))


def random_run_of_each(groups: Numbers, order: Numbers, share: float, seed: int) -> Flags:
    """Hold out a `share` of each group's events, rounded: a run of consecutive events with a random start.

    Events are consecutive by `order`. A run that reaches the end of its group continues at the beginning.
    """
    from_end, sizes = _places_from_end(groups, np.lexsort((order, groups)))
    codes = np.unique(groups, return_inverse=True)[1]
    drawn = np.random.default_rng(seed).random(len(groups))[codes]
    run = np.minimum(np.rint(sizes * share), sizes - 1)
    return np.asarray((from_end + np.floor(drawn * sizes)) % sizes < run)


def random_groups(groups: Numbers, share: float, seed: int) -> Flags:
    """Hold out all events of a random `share` of the groups: at least one group, and never all.

    Raises:
        UserError: there is only one group.
    """
    return _whole_groups(groups, np.random.default_rng(seed).permutation(np.unique(groups)), share)


def random_groups_within(groups: Numbers, limit: int, rng: np.random.Generator) -> Flags:
    """Return the events of random groups: as many groups as have at most `limit` events, at least one."""
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    chosen = np.zeros(len(sizes), np.bool_)
    chosen[order[: number_that_fit(sizes[order], limit)]] = True
    return chosen[groups]


def latest_groups(groups: Numbers, order: Numbers, share: float) -> Flags:
    """Hold out all events of the `share` of groups that began last by `order`: at least one, never all.

    Raises:
        UserError: there is only one group.
    """
    by_order = np.argsort(order, kind="stable")
    names, first = np.unique(groups[by_order], return_index=True)
    return _whole_groups(groups, names[np.argsort(first)], share)


def _whole_groups(groups: Numbers, names: Numbers, share: float) -> Flags:
    if len(names) < 2:
        raise UserError("there is only one shopper or session: at least two are needed to hold one out")
    count = min(max(round(len(names) * share), 1), len(names) - 1)
    return np.isin(groups, names[-count:])


def _places_from_end(groups: Numbers, order: Numbers) -> tuple[Ints, Ints]:
    """Return the number of later events in the group of each event, and the size of this group."""
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    from_end = np.empty(len(groups), dtype=np.int64)
    from_end[order] = counts.cumsum()[codes[order]] - 1 - np.arange(len(groups))
    return from_end, counts[codes]


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
            shoppers_held_out(log, latest(log.times, share), name) for share, name in NEWEST.items()
        ]
        if any(len(eval_split.cases) for eval_split in eval_splits):
            return [eval_split for eval_split in eval_splits if len(eval_split.cases)]
    order = np.arange(len(log))
    run = random_run_of_each(log.shoppers, order, SHARE, seed)
    eval_splits = [
        _random_fold(log, seed, 0),
        held_out(log, run, "a run of a fifth of each shopper's events"),
    ]
    if log.times is None:
        last = last_share_of_each(log.shoppers, order, SHARE)
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
    held = random_share_of_each(log.shoppers, SHARE, seed, fold)
    return held_out(log, held, f"{'another' if fold else 'a'} random fifth of each shopper's events")
