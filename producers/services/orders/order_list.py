"""Lists a shopper's own orders, the newest first, a page at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from common.cursor import BadCursor, decode_moment, encode_moment
from common.ids import is_uuid7
from producers.services.orders import store
from producers.services.orders.presenters import present_listed_order
from producers.services.orders.schemas import ShopperOrders


async def list_orders(sql: Any, shopper_ids: Sequence[str], cursor: str | None, limit: int) -> ShopperOrders:
    """Return the page of the orders of these shopper ids that follows a cursor.

    Raises:
        BadCursor: the cursor is not one of a response.
    """
    after = None if cursor is None else _position(cursor)
    rows = await store.find_orders(sql, shopper_ids, after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "orders": [present_listed_order(row) for row in rows[:limit]],
        "next_cursor": encode_moment(last["placed_at"], last["order_id"]) if last else None,
    }


def _position(cursor: str) -> tuple[datetime, str]:
    placed_at, order_id = decode_moment(cursor)
    if not is_uuid7(order_id):
        raise BadCursor
    return placed_at, order_id
