"""review_submitted: from the complete table of reviews if it exists, else from its two published parts."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from producers.feed.events import Events, Millis
from producers.importer.columns import MISSING, deterministic_uniform, next_midnight, utc_millis
from producers.importer.dataset import ConversionFindings
from producers.importer.olist.source import (
    NAME,
    Index,
    OlistSource,
    drop_duplicates,
    filter_rows,
    lookup,
    strings,
)
from producers.importer.olist.tables import KEYS
from producers.importer.tables import row_keys

_DAY_MS = 86_400_000

ANSWER_LAG_DAYS = ((0.0, 0.2), (0.05, 0.64), (0.5, 1.68), (0.95, 6.8), (0.99, 20.3), (1.0, 30.0))
"""Distribution of the time from the request to the answer: (share of reviews, days).

The four inner points were measured on the 6,123 rows with dates. The two outer points close the distribution.
"""


def submitted(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per usable review, at the time of the answer.

    Missing times and ids are derived from the order.
    """
    name = "order_reviews" if "order_reviews" in source.tables else "order_reviews_head"
    dated = _valid_reviews(name, source, findings)
    scores = _valid_reviews("order_review_scores", source, findings)
    if dated is not None and scores is not None:
        scores = _scores_without_dated(scores, dated, findings)
    if dated is None and scores is None:
        findings.notes.append("there is no table of reviews: no review_submitted")
    parts = [
        *([_dated_columns(dated, source)] if dated is not None else []),
        *([_scored_columns(scores, source, findings)] if scores is not None else []),
    ]
    columns = {field: [value for part in parts for value in part[field]] for field in _FIELDS}
    moments = columns.pop("occurred_at")
    causes = columns.pop("cause")
    key = ("review_id", "order_id")
    return Events("review_submitted", NAME, np.array(moments, np.int64), columns, key, "order_id", causes)


_FIELDS = (
    "occurred_at", "cause",
    "review_id", "order_id", "line_number", "shopper_id", "product_id", "seller_id", "score", "title",
    "comment",
)  # fmt: skip


def _valid_reviews(name: str, source: OlistSource, findings: ConversionFindings) -> pa.Table | None:
    """Return the usable rows of a table of reviews, or None if it is absent."""
    table = source.tables.get(name)
    if table is None:
        return None
    score = table["review_score"].to_numpy()
    table = filter_rows(table, (score >= 1) & (score <= 5), name, "review_score is not 1 to 5", findings)
    known = lookup(table["order_id"], source.orders.order_id) >= 0
    table = filter_rows(table, known, name, "order_id is not in the usable orders", findings)
    return drop_duplicates(table, name, findings)


def _scores_without_dated(scores: pa.Table, dated: pa.Table, findings: ConversionFindings) -> pa.Table:
    """Return the scores of orders without a dated review. Contradictions between the tables are findings."""
    row = lookup(scores["order_id"], dated["order_id"].combine_chunks())
    other = np.append(dated["review_score"].to_numpy(), 0)[row]
    differs = (row >= 0) & (other != scores["review_score"].to_numpy())
    reason = "another score of this order is in order_reviews_head, which has id and time"
    findings.reject("order_review_scores", strings(scores["order_id"])[differs].tolist(), reason)
    return scores.filter(pa.array(row < 0))


def _dated_columns(table: pa.Table, source: OlistSource) -> dict[str, list[Any]]:
    answered = utc_millis(table["review_answer_timestamp"], source.zone)
    requested_at = utc_millis(table["review_creation_date"], source.zone)
    row = lookup(table["order_id"], source.orders.order_id)
    drawn = _draw_answer_times(source, row, row_keys(table, KEYS["order_reviews"]), requested_at)
    return {
        "occurred_at": np.where(answered == MISSING, drawn, answered).tolist(),
        "review_id": table["review_id"].to_pylist(),
        "score": table["review_score"].to_pylist(),
        "title": table["review_comment_title"].to_pylist(),
        "comment": table["review_comment_message"].to_pylist(),
    } | _order_columns(source, row)


def _scored_columns(
    table: pa.Table, source: OlistSource, findings: ConversionFindings
) -> dict[str, list[Any]]:
    row = lookup(table["order_id"], source.orders.order_id)
    ids = table["order_id"].to_pylist()
    findings.note(
        len(ids),
        "reviews have neither id, time nor text: the id is made of the order id, the time is drawn from it "
        "(requested at the midnight after delivery, answered after a lag drawn from reviews with times)",
    )
    return {
        "occurred_at": _draw_answer_times(source, row, ids, np.full(len(ids), MISSING)).tolist(),
        "review_id": [f"review-{order_id}" for order_id in ids],
        "score": table["review_score"].to_pylist(),
        "title": [None] * len(ids),
        "comment": [None] * len(ids),
    } | _order_columns(source, row)


def _draw_answer_times(source: OlistSource, row: Index, keys: list[str], requested_at: Millis) -> Millis:
    """Return the time of each answer: the request plus a drawn lag.

    If the request has no time, it is the midnight after the delivery.
    """
    orders = source.orders
    shares, days = zip(*ANSWER_LAG_DAYS, strict=True)
    lag = np.interp(deterministic_uniform("review_submitted", keys), shares, days) * _DAY_MS
    arrived = np.where(orders.delivered_at == MISSING, orders.estimated_at, orders.delivered_at)
    arrived = np.where(arrived == MISSING, orders.purchased_at, arrived)[row]
    requested_at = np.where(requested_at == MISSING, next_midnight(arrived, source.zone), requested_at)
    return requested_at + lag.astype(np.int64)


def _order_columns(source: OlistSource, row: Index) -> dict[str, list[Any]]:
    """Return the columns of order and shopper, and of line, product and seller if the order has only one."""
    orders, lines = source.orders, source.lines
    product = _only_value(lines.product, source, source.product_ids)
    seller = _only_value(lines.seller, source, source.seller_ids)
    number = _only_value(lines.number, source, np.arange(lines.number.max(initial=0) + 1).astype(object))
    return {
        "cause": orders.placed_event_id[row].tolist(),
        "order_id": orders.order_id[row].tolist(),
        "line_number": number[row].tolist(),
        "shopper_id": orders.shopper_id[row].tolist(),
        "product_id": product[row].tolist(),
        "seller_id": seller[row].tolist(),
    }


def _only_value(values: Index, source: OlistSource, ids: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return for each order the id of its lines' only value; None if it has several values or no lines."""
    only = np.full(len(source.orders), None, dtype=object)
    starts, ends = source.line_bounds[:-1], source.line_bounds[1:]
    some = np.flatnonzero(ends > starts)
    if len(some):
        low = np.minimum.reduceat(values, starts[some])
        same = low == np.maximum.reduceat(values, starts[some])
        only[some[same]] = ids[low[same]]
    return only
