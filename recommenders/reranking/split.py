"""Builds the training examples of a reranking model: shortened histories, and the events that followed."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommenders.histories import Histories
from recommenders.interactions import Interactions

HoldOutMethod = Literal["last", "cut", "every", "random"]

RANDOM_SHARE = 0.2
"""The share of a sequence's events that the method `random` holds out."""


@dataclass(frozen=True)
class RerankingSplit:
    """A log without the held-out events, the shortened histories, and the targets in the same rows."""

    log: Interactions
    histories: Histories
    targets: Histories


def hold_out(
    log: Interactions, limit: int, method: HoldOutMethod, rng: np.random.Generator
) -> RerankingSplit | None:
    """Hold events out of the newest sequences. Returns None if no event can be held out.

    There are at most `limit` examples: histories with their targets. The methods are:

    - `last`: the newest event is the target. This suits shoppers who are in the training data.
    - `cut`: the event after a random place is the target. The whole sequence is left out of the log. This
      suits new visits.
    - `every`: as `cut`, with an example for every event of the sequence except the first. Such examples are
      distributed as the answers that a visit needs: a long visit needs more than a short one.
    - `random`: the newest event and a random fifth of the others are the targets, but never the oldest event.
      This suits logs without an order: their events are in random order, so these are random events, too.
    """
    sequences = log.sequences
    rows = np.flatnonzero(sequences.lengths >= 2)[-2 * limit :]
    rows = np.sort(rng.permutation(rows)[: min(limit, (len(rows) + 1) // 2)])
    if not len(rows):
        return None
    if method == "every":
        return _every_event(log, rows, limit, rng)
    held, is_target = _held_out(sequences, rows, method, rng)
    remaining = np.ones(len(log), np.bool_)
    remaining[log.sequence_events[_events_of(sequences, rows) if method == "cut" else held]] = False
    if not remaining.any():
        return None
    return RerankingSplit(
        log.select_events(remaining),
        sequences.select_events(~held).take(rows),
        sequences.select_events(is_target).take(rows),
    )


def _every_event(
    log: Interactions, rows: NDArray[np.int64], limit: int, rng: np.random.Generator
) -> RerankingSplit | None:
    """Hold out as many of the sequences `rows` as have `limit` examples together, and at least one."""
    sequences = log.sequences
    drawn = rng.permutation(rows)
    examples = np.cumsum(sequences.lengths[drawn] - 1)
    held = _events_of(sequences, drawn[: max(1, int(np.searchsorted(examples, limit, side="right")))])
    if held.all():
        return None
    remaining = np.ones(len(log), np.bool_)
    remaining[log.sequence_events[held]] = False
    is_oldest = sequences.ages == np.repeat(sequences.lengths - 1, sequences.lengths)
    targets = np.flatnonzero(held & ~is_oldest)
    targets = np.sort(rng.permutation(targets)[:limit])
    single = np.arange(len(targets) + 1, dtype=np.int64)
    return RerankingSplit(
        log.select_events(remaining),
        sequences.before(targets),
        Histories(single, sequences.products[targets], sequences.weights[targets]),
    )


def _held_out(
    sequences: Histories, rows: NDArray[np.int64], method: HoldOutMethod, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which events of the sequences are held out, and which are targets: bool [events] each."""
    of_chosen = _events_of(sequences, rows)
    if method == "random":
        oldest = sequences.ages == np.repeat(sequences.lengths - 1, sequences.lengths)
        held = of_chosen & ((rng.random(len(of_chosen)) < RANDOM_SHARE) | (sequences.ages == 0)) & ~oldest
        return held, held
    held_counts = np.ones(len(sequences), np.int64)
    if method == "cut":
        held_counts[rows] = rng.integers(1, sequences.lengths[rows])
    counts = np.repeat(held_counts, sequences.lengths)
    return of_chosen & (sequences.ages < counts), of_chosen & (sequences.ages == counts - 1)


def _events_of(sequences: Histories, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which events belong to the given rows of the sequences: bool [events]."""
    chosen = np.zeros(len(sequences), np.bool_)
    chosen[rows] = True
    return np.repeat(chosen, sequences.lengths)
