"""Computes the features of candidates for histories."""

from collections.abc import Sequence

import numpy as np

from recommenders.histories import Floats, Histories
from recommenders.interactions import Interactions
from recommenders.vocabulary import Codes

RECENT = (0.2, 0.05, 0.01)
"""`interest` counts the events of a product in each of these newest shares of the log."""

DECAYS = (1.0, 0.5)
"""The events of a history with a candidate are summed with each of these decays."""


def interest(log: Interactions) -> Floats:
    """Return ln(1 + shoppers) and ln(1 + events in each of `RECENT`): float32 [1 + 3, products].

    If the order of the log's events is not known, there is only the first row.
    """
    counts = [log.popularity.astype(np.int64)]
    for share in RECENT if log.chronological else ():
        newest = log.products[-max(1, round(share * len(log))) :]
        counts.append(np.bincount(newest, minlength=log.product_count))
    return np.log1p(np.stack(counts)).astype(np.float32)


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
