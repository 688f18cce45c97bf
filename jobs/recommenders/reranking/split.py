"""Builds the training examples of a reranking model: shortened histories, and the events that followed."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jobs.recommenders.histories import Histories
from jobs.recommenders.interactions import Interactions

HoldOutMethod = Literal["last", "cut", "random"]

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
    """Hold events out of at most `limit` of the newest sequences. Returns None if no event can be held out.

    The methods are:

    - `last`: the newest event is the target. This suits shoppers who are in the training data.
    - `cut`: the event after a random place is the target. The whole sequence is left out of the log. This
      suits new visits.
    - `random`: the newest event and a random fifth of the others are the targets, but never the oldest event.
      This suits logs without an order: their events are in random order, so these are random events, too.
    """
    sequences = log.sequences
    rows = np.flatnonzero(sequences.lengths >= 2)[-2 * limit :]
    rows = np.sort(rng.permutation(rows)[: min(limit, (len(rows) + 1) // 2)])
    if not len(rows):
        return None
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
