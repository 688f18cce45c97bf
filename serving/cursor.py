"""Encodes the position of a page in a list as an opaque cursor. Pure."""

import base64
import binascii
from collections.abc import Sequence

import orjson

from serving.problems import BadCursor

INT64 = 2**63


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
        if not isinstance(position, list) or [type(value) for value in position] != list(types):
            raise ValueError(cursor)
        if any(isinstance(value, int) and not -INT64 <= value < INT64 for value in position):
            raise ValueError(cursor)
    except (ValueError, binascii.Error) as error:
        raise bad_cursor() from error
    return position


def bad_cursor() -> BadCursor:
    """Return the error for a cursor that this API did not issue."""
    return BadCursor("Send next_cursor of the previous page unchanged, or leave cursor out.")
