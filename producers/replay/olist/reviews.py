"""review_submitted: from the whole table of reviews where it is there, else from what circulates of it."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from producers.feed.events import Events, Millis
from producers.replay.columns import MISSING, draw, next_midnight, utc_millis
from producers.replay.findings import Findings
from producers.replay.olist.orders import line_bounds
from producers.replay.olist.source import NAME, Index, Source, keep, keys_of, lookup, strings

_DAY_MS = 86_400_000

ANSWER_LAG_DAYS = ((0.0, 0.2), (0.05, 0.64), (0.5, 1.68), (0.95, 6.8), (0.99, 20.3), (1.0, 30.0))
"""(share, days): how long shoppers took from being asked to answering, in the 6,123 rows that have dates.
The inner four were measured; the ends close the distribution."""


def submitted(source: Source, findings: Findings) -> Events:
    """Every usable review, when it was answered; missing times and ids are derived from the order."""
    whole = [source.tables[name] for name in ("order_reviews", "order_reviews_head") if name in source.tables]
    name = "order_reviews" if "order_reviews" in source.tables else "order_reviews_head"
    dated = _checked(whole[0], name, source, findings) if whole else None
    scores = source.tables.get("order_review_scores")
    if scores is not None:
        scores = _beside(_checked(scores, "order_review_scores", source, findings), dated, findings)
    if dated is None and scores is None:
        findings.notes.append("no table of reviews is there: no review_submitted")
    parts = [columns for columns in (_dated(dated, source), _scored(scores, source, findings)) if columns]
    columns = {field: [value for part in parts for value in part[field]] for field in _FIELDS}
    moments = columns.pop("occurred_at")
    causes = columns.pop("cause")
    key = ("review_id", "order_id")
    return Events("review_submitted", NAME, np.array(moments, np.int64), columns, key, "order_id", causes)


_FIELDS = (
    "occurred_at", "cause",
    "review_id", "order_id", "shopper_id", "product_id", "seller_id", "score", "title", "comment",
)  # fmt: skip


def _checked(table: pa.Table, name: str, source: Source, findings: Findings) -> pa.Table:
    score = table["review_score"].to_numpy()
    columns = ("review_id", "order_id") if "review_id" in table.column_names else ("order_id",)
    keys = keys_of(table, columns)
    table = keep(table, (score >= 1) & (score <= 5), name, keys, "review_score is not 1 to 5", findings)
    known = lookup(table["order_id"], source.orders.order_id) >= 0
    table = keep(
        table, known, name, keys_of(table, columns), "order_id is not in the usable orders", findings
    )
    keys = keys_of(table, columns)
    _, first = np.unique(np.array(keys, dtype=str), return_index=True)
    unrepeated = np.isin(np.arange(len(keys)), first)
    return keep(
        table, unrepeated, name, keys, f"repeats the {' and '.join(columns)} of an earlier row", findings
    )


def _beside(scores: pa.Table, dated: pa.Table | None, findings: Findings) -> pa.Table:
    """The scores of orders that have no dated review; where both tables disagree is reported."""
    if dated is None:
        return scores
    row = lookup(scores["order_id"], dated["order_id"].combine_chunks())
    other = np.append(dated["review_score"].to_numpy(), 0)[row]
    differs = (row >= 0) & (other != scores["review_score"].to_numpy())
    reason = "another score of this order is in order_reviews_head, which has id and time"
    findings.reject("order_review_scores", strings(scores["order_id"])[differs].tolist(), reason)
    return scores.filter(pa.array(row < 0))


def _dated(table: pa.Table | None, source: Source) -> dict[str, list[Any]]:
    if table is None:
        return {}
    answered = utc_millis(table["review_answer_timestamp"], source.zone)
    asked = utc_millis(table["review_creation_date"], source.zone)
    row = lookup(table["order_id"], source.orders.order_id)
    drawn = _drawn(source, row, keys_of(table, ("review_id", "order_id")), asked)
    return {
        "occurred_at": np.where(answered == MISSING, drawn, answered).tolist(),
        "review_id": table["review_id"].to_pylist(),
        "score": table["review_score"].to_pylist(),
        "title": table["review_comment_title"].to_pylist(),
        "comment": table["review_comment_message"].to_pylist(),
    } | _about(source, row)


def _scored(table: pa.Table | None, source: Source, findings: Findings) -> dict[str, list[Any]]:
    if table is None:
        return {}
    row = lookup(table["order_id"], source.orders.order_id)
    ids = table["order_id"].to_pylist()
    findings.note(
        len(ids),
        "reviews have neither id, time nor text: the id is made of the order id, the time is drawn from it "
        "(asked at the midnight after delivery, answered after a lag drawn from the reviews that have times)",
    )
    return {
        "occurred_at": _drawn(source, row, ids, np.full(len(ids), MISSING)).tolist(),
        "review_id": [f"review-{order_id}" for order_id in ids],
        "score": table["review_score"].to_pylist(),
        "title": [None] * len(ids),
        "comment": [None] * len(ids),
    } | _about(source, row)


def _drawn(source: Source, row: Index, keys: list[str], asked: Millis) -> Millis:
    """When each review was answered: asked (the midnight after delivery, if missing) plus a drawn lag."""
    orders = source.orders
    shares, days = zip(*ANSWER_LAG_DAYS, strict=True)
    lag = np.interp(draw("review_submitted", keys), shares, days) * _DAY_MS
    arrived = np.where(orders.delivered_at == MISSING, orders.estimated_at, orders.delivered_at)
    arrived = np.where(arrived == MISSING, orders.purchased_at, arrived)[row]
    return np.where(asked == MISSING, next_midnight(arrived, source.zone), asked) + lag.astype(np.int64)


def _about(source: Source, row: Index) -> dict[str, list[Any]]:
    """Order, shopper, and the order's product and seller where it has just one."""
    orders, lines = source.orders, source.lines
    product = _only(lines.product, source, strings(source.tables["products"]["product_id"]))
    seller = _only(lines.seller, source, strings(source.tables["sellers"]["seller_id"]))
    return {
        "cause": [orders.placed_event_id[order] for order in row.tolist()],
        "order_id": orders.order_id[row].tolist(),
        "shopper_id": orders.shopper_id[row].tolist(),
        "product_id": product[row].tolist(),
        "seller_id": seller[row].tolist(),
    }


def _only(values: Index, source: Source, ids: NDArray[np.object_]) -> NDArray[np.object_]:
    """Per order the id of the only value that its lines have, None where they have several or none."""
    only = np.full(len(source.orders), None, dtype=object)
    bounds = line_bounds(source.lines, len(source.orders))
    starts, ends = np.array(bounds[:-1], np.int64), np.array(bounds[1:], np.int64)
    some = np.flatnonzero(ends > starts)
    if len(some):
        low = np.minimum.reduceat(values, starts[some])
        same = low == np.maximum.reduceat(values, starts[some])
        only[some[same]] = ids[low[same]]
    return only
