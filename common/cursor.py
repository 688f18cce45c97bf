"""Encodes the position of a page in a list as an opaque cursor. Pure."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from common.clock import from_millis
from common.problems import Problem

INT64 = 2**63


class BadCursor(Problem):
    """The cursor is not one that a list has returned."""

    status, kind, title = 422, "bad-cursor", "Unknown cursor"

    def __init__(self) -> None:
        super().__init__("Send next_cursor of the previous page unchanged, or leave cursor out.")


def encode_cursor(*position: int | str) -> str:
    """Return the sort key of a page's last row as opaque, URL-safe text."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str, types: Sequence[type]) -> list[int | str]:
    """Return the values that `encode_cursor` was given, checked to be of these types.

    Raises:
        BadCursor: the text is not a cursor of this list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
        if (
            not isinstance(position, list)
            or [type(value) for value in position] != list(types)
            or any(isinstance(value, int) and not -INT64 <= value < INT64 for value in position)
        ):
            raise ValueError(cursor)
    except (ValueError, binascii.Error) as error:
        raise BadCursor from error
    return position


def moment_of(millis: int | str) -> datetime:
    """Return the time of a position that has milliseconds.

    Raises:
        BadCursor: ClickHouse has no such time; no list has returned the cursor.
    """
    try:
        moment = from_millis(int(millis))
    except (ValueError, OverflowError, OSError) as error:
        raise BadCursor from error
    if not 1970 <= moment.year <= 2105:
        raise BadCursor
    return moment


def encode_moment(moment: datetime, row_id: str) -> str:
    """Return the cursor of a list that is sorted by a moment and an id."""
    return encode_cursor(moment.isoformat(), row_id)


def decode_moment(cursor: str, is_of_uuids: bool = True) -> tuple[datetime, str]:
    """Return the moment and the id that `encode_moment` was given; the ids of most lists are UUIDs.

    Raises:
        BadCursor: the text is not a cursor of such a list.
    """
    moment, row_id = (str(value) for value in decode_cursor(cursor, (str, str)))
    try:
        at = datetime.fromisoformat(moment)
        is_id = str(UUID(row_id)) == row_id if is_of_uuids else "\0" not in row_id
    except ValueError as error:
        raise BadCursor from error
    if at.tzinfo is None or not is_id:
        raise BadCursor
    return at, row_id
