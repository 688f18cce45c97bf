"""review_submitted: from the complete table of reviews if it exists, else from its two published parts."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from producers.feed.events import Events, Millis
from producers.importer.columns import MISSING, deterministic_uniform, next_midnight, utc_millis
from producers.importer.findings import ConversionFindings
from producers.importer.olist.source import (
    NAME,
    Index,
    OlistSource,
    filter_rows,
    keys_of,
    line_bounds,
    lookup,
    strings,
)

_DAY_MS = 86_400_000

ANSWER_LAG_DAYS = ((0.0, 0.2), (0.05, 0.64), (0.5, 1.68), (0.95, 6.8), (0.99, 20.3), (1.0, 30.0))
"""Distribution of the time from the request to the answer: (share of reviews, days).

The four inner points were measured on the 6,123 rows with dates. The two outer points close the distribution.
"""


def submitted(source: OlistSource, findings: ConversionFindings) -> Events:
    """Return one event per usable review, at the time of the answer.

    Missing times and ids are derived from the order.
    """
    tables = [
        source.tables[name] for name in ("order_reviews", "order_reviews_head") if name in source.tables
    ]
    name = "order_reviews" if "order_reviews" in source.tables else "order_reviews_head"
    dated = _valid_reviews(tables[0], name, source, findings) if tables else None
    scores = source.tables.get("order_review_scores")
    if scores is not None:
        scores = _scores_without_dated(
            _valid_reviews(scores, "order_review_scores", source, findings), dated, findings
        )
    if dated is None and scores is None:
        findings.notes.append("there is no table of reviews: no review_submitted")
    parts = [
        columns
        for columns in (_dated_columns(dated, source), _scored_columns(scores, source, findings))
        if columns
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


def _valid_reviews(table: pa.Table, name: str, source: OlistSource, findings: ConversionFindings) -> pa.Table:
    score = table["review_score"].to_numpy()
    columns = ("review_id", "order_id") if "review_id" in table.column_names else ("order_id",)
    keys = keys_of(table, columns)
    table = filter_rows(
        table, (score >= 1) & (score <= 5), name, keys, "review_score is not 1 to 5", findings
    )
    known = lookup(table["order_id"], source.orders.order_id) >= 0
    table = filter_rows(
        table, known, name, keys_of(table, columns), "order_id is not in the usable orders", findings
    )
    keys = keys_of(table, columns)
    _, first = np.unique(np.array(keys, dtype=str), return_index=True)
    unrepeated = np.isin(np.arange(len(keys)), first)
    return filter_rows(
        table, unrepeated, name, keys, f"repeats the {' and '.join(columns)} of an earlier row", findings
    )


def _scores_without_dated(scores: pa.Table, dated: pa.Table | None, findings: ConversionFindings) -> pa.Table:
    """Return the scores of orders without a dated review. Contradictions between the tables are findings."""
    if dated is None:
        return scores
    row = lookup(scores["order_id"], dated["order_id"].combine_chunks())
    other = np.append(dated["review_score"].to_numpy(), 0)[row]
    differs = (row >= 0) & (other != scores["review_score"].to_numpy())
    reason = "another score of this order is in order_reviews_head, which has id and time"
    findings.reject("order_review_scores", strings(scores["order_id"])[differs].tolist(), reason)
    return scores.filter(pa.array(row < 0))


def _dated_columns(table: pa.Table | None, source: OlistSource) -> dict[str, list[Any]]:
    if table is None:
        return {}
    answered = utc_millis(table["review_answer_timestamp"], source.zone)
    requested_at = utc_millis(table["review_creation_date"], source.zone)
    row = lookup(table["order_id"], source.orders.order_id)
    drawn = _draw_answer_times(source, row, keys_of(table, ("review_id", "order_id")), requested_at)
    return {
        "occurred_at": np.where(answered == MISSING, drawn, answered).tolist(),
        "review_id": table["review_id"].to_pylist(),
        "score": table["review_score"].to_pylist(),
        "title": table["review_comment_title"].to_pylist(),
        "comment": table["review_comment_message"].to_pylist(),
    } | _order_columns(source, row)


def _scored_columns(
    table: pa.Table | None, source: OlistSource, findings: ConversionFindings
) -> dict[str, list[Any]]:
    if table is None:
        return {}
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
    product = _only_value(lines.product, source, strings(source.tables["products"]["product_id"]))
    seller = _only_value(lines.seller, source, strings(source.tables["sellers"]["seller_id"]))
    number = _only_value(lines.number, source, np.arange(lines.number.max(initial=0) + 1).astype(object))
    return {
        "cause": [orders.placed_event_id[order] for order in row.tolist()],
        "order_id": orders.order_id[row].tolist(),
        "line_number": number[row].tolist(),
        "shopper_id": orders.shopper_id[row].tolist(),
        "product_id": product[row].tolist(),
        "seller_id": seller[row].tolist(),
    }


def _only_value(values: Index, source: OlistSource, ids: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return for each order the id of its lines' only value; None if it has several values or no lines."""
    only = np.full(len(source.orders), None, dtype=object)
    bounds = line_bounds(source.lines, len(source.orders))
    starts, ends = np.array(bounds[:-1], np.int64), np.array(bounds[1:], np.int64)
    some = np.flatnonzero(ends > starts)
    if len(some):
        low = np.minimum.reduceat(values, starts[some])
        same = low == np.maximum.reduceat(values, starts[some])
        only[some[same]] = ids[low[same]]
    return only
