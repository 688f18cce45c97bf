"""Collects single events into columns."""

from typing import Any

import numpy as np

from producers.feed.events import Events

DATA_SET = "simulator"
"""Data set name in every derived event id."""

SOURCE_KEYS: dict[str, tuple[str, ...]] = {
    "seller_registered": ("seller_id",),
    "seller_approved": ("seller_id",),
    "product_listed": ("product_id",),
    "product_changed": ("product_id",),
    "shopper_registered": ("shopper_id",),
    "stock_changed": ("product_id",),
    "restock_needed": ("product_id",),
    "recommendation_shown": ("recommendation_id",),
    "recommendation_clicked": ("recommendation_id", "product_id"),
    "search_performed": ("search_id",),
    "product_viewed": ("session_id", "product_id"),
    "cart_changed": ("session_id", "product_id"),
    "order_placed": ("order_id",),
    "stock_reserved": ("order_id",),
    "stock_refused": ("order_id",),
    "payment_captured": ("payment_id",),
    "payment_failed": ("payment_id",),
    "order_confirmed": ("order_id",),
    "order_cancelled": ("order_id",),
    "stock_released": ("order_id",),
    "payment_refunded": ("refund_id",),
    "order_shipped": ("shipment_id",),
    "order_delivered": ("shipment_id",),
    "order_returned": ("return_id",),
    "review_submitted": ("review_id",),
}
"""Event → the fields that identify it together with its time. Events of one time are sent in this order."""

CORRELATIONS = ("order_id", "session_id", "product_id", "seller_id", "shopper_id")
"""The correlation field of an event is the first of these that it has."""


def correlation_field(name: str, fields: tuple[str, ...]) -> str:
    """Return the field that correlates the event with others."""
    if name in ("stock_changed", "restock_needed"):  # a refill has no order
        return "product_id"
    return next(field for field in CORRELATIONS if field in fields)


def events_from_columns(name: str, at: "np.ndarray[Any, np.dtype[np.int64]]", columns: dict[str, list[Any]],
              causes: list[str | None] | None = None) -> Events:  # fmt: skip
    """Return the events of one name from their columns."""
    correlation = correlation_field(name, tuple(columns))
    return Events(name, DATA_SET, at, columns, SOURCE_KEYS[name], correlation, causes)


class EventRows:
    """Collects events and returns them as columns."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[int, str | None, dict[str, Any]]]] = {}

    def append(self, name: str, at: int, cause: str | None, **fields: Any) -> None:
        """Add an event; `fields` are the schema's after `occurred_at`, `cause` is an event id."""
        self._rows.setdefault(name, []).append((at, cause, fields))

    def drain(self) -> list[Events]:
        """Return and remove all events, in the order of SOURCE_KEYS."""
        taken, self._rows = self._rows, {}
        return [_columns(name, taken[name]) for name in SOURCE_KEYS if name in taken]


def _columns(name: str, rows: list[tuple[int, str | None, dict[str, Any]]]) -> Events:
    columns = {field: [fields[field] for _, _, fields in rows] for field in rows[0][2]}
    at = np.array([at for at, _, _ in rows], np.int64)
    return events_from_columns(name, at, columns, [cause for _, cause, _ in rows])
