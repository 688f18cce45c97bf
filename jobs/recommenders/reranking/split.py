"""What a model that re-ranks learns from: histories cut short, and what came next."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jobs.recommenders.histories import Histories
from jobs.recommenders.interactions import Interactions

HoldOutMethod = Literal["last", "cut", "random"]

RANDOM_SHARE = 0.2


@dataclass(frozen=True)
class RerankingSplit:
    """A log without some events, the histories that it leaves, and what was held out of each (same rows)."""

    log: Interactions
    histories: Histories
    targets: Histories


def hold_out(
    log: Interactions, limit: int, method: HoldOutMethod, rng: np.random.Generator
) -> RerankingSplit | None:
    """Hold events out of at most `limit` of the newest sequences; None where no sequence has two events.

    last: the newest event, of shoppers who will be known. cut: the event after a place at random, of visits
    that will be new: the whole visit is left out of the log. random: a fifth of the events, for logs whose
    order says nothing.
    """
    sequences = log.sequences
    rows = np.flatnonzero(sequences.lengths >= 2)[-2 * limit :]
    rows = np.sort(rng.permutation(rows)[: min(limit, (len(rows) + 1) // 2)])
    if not len(rows):
        return None
    held, target = _held(sequences, rows, method, rng)
    left = np.ones(len(log), np.bool_)
    left[log.sequence_events[_of(sequences, rows) if method == "cut" else held]] = False
    if not left.any():
        return None
    return RerankingSplit(
        log.select_events(left),
        sequences.select_events(~held).take(rows),
        sequences.select_events(target).take(rows),
    )


def _held(
    sequences: Histories, rows: NDArray[np.int64], method: HoldOutMethod, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which places of the sequences are held out, and which of these are targets; bool [events] each."""
    of_chosen = _of(sequences, rows)
    if method == "random":
        oldest = sequences.ages == np.repeat(sequences.lengths - 1, sequences.lengths)
        held = of_chosen & ((rng.random(len(of_chosen)) < RANDOM_SHARE) | (sequences.ages == 0)) & ~oldest
        return held, held
    last = np.ones(len(sequences), np.int64)
    if method == "cut":
        last[rows] = rng.integers(1, sequences.lengths[rows])
    newer = np.repeat(last, sequences.lengths)
    return of_chosen & (sequences.ages < newer), of_chosen & (sequences.ages == newer - 1)


def _of(sequences: Histories, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which places of the sequences are of these rows, bool [events]."""
    chosen = np.zeros(len(sequences), np.bool_)
    chosen[rows] = True
    return np.repeat(chosen, sequences.lengths)
