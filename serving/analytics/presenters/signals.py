"""Shapes signals, and the cursor of their pages. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from common.clock import from_millis, to_millis
from common.cursor import BadCursor, decode_cursor, encode_cursor, moment_of
from serving.analytics.schemas.signals import Signal
from serving.kit.names import UNNAMED, ProductName

SIGNAL_COLUMNS = tuple(name for name in Signal.__annotations__ if name != "figures")
"""The columns of a page of signals as CSV."""


def signal_cursor(last: Signal) -> str:
    """Return the cursor of the page that follows this signal."""
    return encode_cursor(to_millis(last["last_at"]), last["signal_id"], last["seller_id"] or "")


def read_signal_cursor(cursor: str) -> tuple[datetime, str, str]:
    """Return when the last signal of the previous page was raised, its id and its seller.

    Raises:
        BadCursor: the text is not a cursor of this list.
    """
    millis, signal_id, seller_id = decode_cursor(cursor, (int, str, str))
    if not signal_id:
        raise BadCursor
    return moment_of(millis), str(signal_id), str(seller_id)


def signal(row: Mapping[str, Any], names: Mapping[str, ProductName], zone: ZoneInfo) -> Signal:
    """Return a signal from its row of the query `seller_signals` or `marketplace_signals`."""
    is_product = row["subject_kind"] == "product"
    return {
        "signal_id": row["signal_id"],
        "kind": row["kind"],
        "seller_id": row["seller_id"] or None,
        "subject_kind": row["subject_kind"],
        "subject_id": row["subject_id"],
        "label": names.get(row["subject_id"], UNNAMED).name if is_product else None,
        "first_at": from_millis(int(row["first_ms"])).astimezone(zone),
        "last_at": from_millis(int(row["last_ms"])).astimezone(zone),
        "figures": {name: int(value) for name, value in row["figures"].items()},
        "sentence": row["sentence"],
    }


def products_of(rows: list[dict[str, Any]]) -> set[str]:
    """Return the products that signals are about."""
    return {row["subject_id"] for row in rows if row["subject_kind"] == "product"}
