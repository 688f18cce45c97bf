"""Lists that clients read page by page, the newest first, or those with the highest rank first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Query

from common.cursor import BadCursor, decode_cursor, decode_moment, encode_cursor, encode_moment

Row = TypeVar("Row")

Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the previous page.")]
Limit = Annotated[int, Query(ge=1, le=100)]


@dataclass(frozen=True, slots=True)
class Position:
    """A row of a list, sorted by rank, time and id. The default is before all rows."""

    at: datetime = datetime(9999, 1, 1, tzinfo=UTC)
    row_id: str = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    rank: int = 2**31 - 1

    @classmethod
    def of(cls, cursor: str | None, is_of_uuids: bool = True) -> "Position":
        """Return the last row of the page that had this cursor, in a list whose ids are UUIDs or not.

        Raises:
            BadCursor: no list has returned it.
        """
        if cursor is None:
            return cls()
        rank, moment = decode_cursor(cursor, (int, str))
        if not 0 <= int(rank) <= cls().rank:
            raise BadCursor
        return cls(*decode_moment(str(moment), is_of_uuids), int(rank))


def cut_page(
    rows: Sequence[Row], limit: int, position: Callable[[Row], Position]
) -> tuple[Sequence[Row], str | None]:
    """Return the first `limit` of the rows, and the cursor of the next page; None if these are all."""
    if len(rows) <= limit:
        return rows, None
    last = position(rows[limit - 1])
    return rows[:limit], encode_cursor(last.rank, encode_moment(last.at, last.row_id))
