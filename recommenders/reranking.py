"""Learns to rerank the candidates of several models: training examples, features and boosted trees.

An example is a shortened history, with the events that followed. The trees are those of scikit-learn, as
arrays that are saved without pickle and evaluated compiled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from recommenders.compiled import compiled
from recommenders.histories import Codes, Floats, Histories, Ints, number_that_fit
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
    held = _events_of(sequences, drawn[: number_that_fit(sequences.lengths[drawn] - 1, limit)])
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


RECENT = (0.2, 0.05, 0.01)
"""`interest` counts the events of a product in each of these newest shares of the log."""

DECAYS = (1.0, 0.5)
"""The events of a history with a candidate are summed with each of these decays."""


def interest(log: Interactions) -> Floats:
    """Return ln(1 + shoppers) and ln(1 + events in each of `RECENT`): float32 [1 + 3, products].

    If the order of the log's events is not known, there is only the first row.
    """
    recent = [log.products[-max(1, round(share * len(log))) :] for share in RECENT if log.chronological]
    counts = (np.bincount(newest, minlength=log.product_count) for newest in recent)
    return np.asarray(np.log1p(np.stack([log.popularity.astype(np.int64), *counts])), np.float32)


def decays(log: Interactions) -> Floats:
    """Return the decays of the features: float32, `DECAYS`, or only 1 if the histories have no order."""
    return np.array(DECAYS if log.ordered else DECAYS[:1], np.float32)


def features(
    scores: Sequence[Floats], candidates: Codes, histories: Histories, interests: Floats, decays: Floats
) -> Floats:
    """Return the features of `candidates`, int32 [rows, k]: float32 [rows · k, features].

    `scores` holds one array float32 [rows, products] per member of the hybrid. The features are, in order:

    - for each member, the score divided by the largest score of the row, and ln(1 + place among candidates)
    - the values of `interests`, which `interest` returned
    - Σ decay^age over the history's events with the candidate, for each of `decays`, and ln(1 + the number of
      all events of the history)
    """
    columns = []
    for member in scores:
        candidate_scores = np.take_along_axis(member, candidates, axis=1)
        columns.append(candidate_scores / np.maximum(member.max(axis=1, keepdims=True), 1e-12))
        order = np.argsort(-candidate_scores, axis=1, kind="stable")
        places = np.empty(order.shape, np.float32)
        np.put_along_axis(places, order, np.arange(order.shape[1], dtype=np.float32)[None, :], axis=1)
        columns.append(np.log1p(places))
    columns += [values[candidates] for values in interests]
    for decay in decays.tolist():
        event_weights = histories.with_decay(decay).matrix(interests.shape[1]).toarray()
        columns.append(np.take_along_axis(event_weights, candidates, axis=1))
    columns.append(np.repeat(np.log1p(histories.lengths)[:, None], candidates.shape[1], axis=1))
    return np.stack([each.astype(np.float32).ravel() for each in columns], axis=1)


Arrays = dict[str, NDArray[Any]]


def learn_trees(features: Floats, labels: NDArray[np.bool_], rounds: int, seed: int) -> Arrays:
    """Fit trees that predict the labels, bool [rows], from the features, float32 [rows, features].

    Fitting uses one thread: on a busy machine, further OpenMP threads would waste time in busy-waiting.
    """
    model = HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=0.08,
        max_leaf_nodes=24,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(1):
        model.fit(features, labels)
    trees = [predictor.nodes for [predictor] in model._predictors]
    nodes = np.concatenate(trees)
    return {
        "tree_starts": np.cumsum([0, *map(len, trees)]).astype(np.int64),
        "tree_features": np.where(nodes["is_leaf"], -1, nodes["feature_idx"]).astype(np.int32),
        "tree_thresholds": nodes["num_threshold"].astype(np.float64),
        "tree_left": nodes["left"].astype(np.int32),
        "tree_right": nodes["right"].astype(np.int32),
        "tree_values": nodes["value"].astype(np.float64),
    }


def predict_trees(arrays: Arrays, features: Floats) -> Floats:
    """Return the log-odds of each row without the constant term, float32 [rows]."""
    log_odds = np.zeros(len(features), np.float32)
    _walk(
        arrays["tree_starts"],
        (arrays["tree_features"], arrays["tree_left"], arrays["tree_right"]),
        arrays["tree_thresholds"],
        arrays["tree_values"],
        features,
        log_odds,
    )
    return log_odds


@compiled
def _walk(
    starts: Ints,
    nodes: tuple[Codes, Codes, Codes],
    thresholds: NDArray[np.float64],
    values: NDArray[np.float64],
    rows: Floats,
    log_odds: Floats,
) -> None:
    feature_of, left, right = nodes
    for row in range(len(rows)):
        total = 0.0
        for tree in range(len(starts) - 1):
            root = starts[tree]
            at = root
            while feature_of[at] >= 0:
                below = rows[row, feature_of[at]] <= thresholds[at]
                at = root + (left[at] if below else right[at])
            total += values[at]
        log_odds[row] = total
