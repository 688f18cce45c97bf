"""Lists a shopper's own orders, the newest first, a page at a time."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from common.ids import is_uuid7
from producers.orders import store
from producers.orders.presenters import present_listed_order
from producers.orders.problems import BadCursor
from producers.orders.schemas import OrdersResponse


@dataclass(frozen=True, slots=True)
class Position:
    """The last order of a page: when it was placed, and its id."""

    placed_at: datetime
    order_id: str

    def cursor(self) -> str:
        """Return the position as the opaque text of `next_cursor`."""
        text = f"{self.placed_at.isoformat()} {self.order_id}"
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Return the position in a cursor.

        Raises:
            BadCursor: the text is not one that `cursor` has made.
        """
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            moment, order_id = urlsafe_b64decode(padded).decode().split(" ")
            placed_at = datetime.fromisoformat(moment)
        except (Error, ValueError) as error:
            raise BadCursor from error
        if placed_at.tzinfo is None or not is_uuid7(order_id):
            raise BadCursor
        return cls(placed_at, order_id)


async def list_orders(sql: Any, shopper_ids: Sequence[str], cursor: str | None, limit: int) -> OrdersResponse:
    """Return the page of the orders of these shopper ids that follows a cursor.

    Raises:
        BadCursor: the cursor is not one of a response.
    """
    after = None if cursor is None else Position.of(cursor)
    rows = await store.find_orders(
        sql, shopper_ids, (after.placed_at, after.order_id) if after else None, limit + 1
    )
    page = rows[:limit]
    return {
        "orders": [present_listed_order(row) for row in page],
        "next_cursor": _position(page[-1]).cursor() if len(rows) > limit else None,
    }


def _position(row: Mapping[str, Any]) -> Position:
    return Position(row["placed_at"], row["order_id"])
