"""What is known of a candidate for a history."""

from collections.abc import Sequence

import numpy as np

from jobs.recommenders.histories import Floats, Histories
from jobs.recommenders.interactions import Interactions
from jobs.recommenders.vocabulary import Codes

RECENT = (0.2, 0.05, 0.01)
"""Shares of a log's newest events in which a product's events are counted."""


def interest(log: Interactions) -> Floats:
    """ln(1 + shoppers) and ln(1 + events in each of `RECENT`) of each product, float32 [1 + 3, products]."""
    counts = [log.popularity.astype(np.int64)]
    for share in RECENT:
        newest = log.products[-max(1, round(share * len(log))) :]
        counts.append(np.bincount(newest, minlength=log.product_count))
    return np.log1p(np.stack(counts)).astype(np.float32)


def features(scores: Sequence[Floats], candidates: Codes, histories: Histories, known: Floats) -> Floats:
    """float32 [rows · k, features] of `candidates` int32 [rows, k].

    In this order: of each member its score, divided by the row's largest, and its place, ln(1 + place among
    the candidates); of the product what is `known`, which is the `interest`; of the history its events of the
    product, their recency, Σ ½^age over them, and its length, ln(1 + events). `scores` are float32
    [rows, products], one array a member.
    """
    columns = []
    for member in scores:
        mine = np.take_along_axis(member, candidates, axis=1)
        columns.append(mine / np.maximum(member.max(axis=1, keepdims=True), 1e-12))
        order = np.argsort(-mine, axis=1, kind="stable")
        places = np.empty(order.shape, np.float32)
        np.put_along_axis(places, order, np.arange(order.shape[1], dtype=np.float32)[None, :], axis=1)
        columns.append(np.log1p(places))
    columns += [of_product[candidates] for of_product in known]
    for decay in (1.0, 0.5):
        taken = histories.with_decay(decay).matrix(known.shape[1]).toarray()
        columns.append(np.take_along_axis(taken, candidates, axis=1))
    columns.append(np.repeat(np.log1p(histories.lengths)[:, None], candidates.shape[1], axis=1))
    return np.stack([each.astype(np.float32).ravel() for each in columns], axis=1)
