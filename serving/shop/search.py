"""What a search asks for: its words, its order, and the place in the list where a page begins. Pure."""

import base64
import binascii
import unicodedata
from dataclasses import dataclass
from typing import Literal, Self

import orjson

from serving.problems import BadCursor

Sort = Literal["best", "cheapest", "dearest"]

MOST_WORDS = 8
"""Words of a search that count; nobody types more."""

INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Place:
    """The product after which a page begins."""

    rank: int = -1
    key: int = -INT64
    product_id: str = ""

    def write(self) -> str:
        """The place as opaque, URL-safe text."""
        text = orjson.dumps([self.rank, self.key, self.product_id])
        return base64.urlsafe_b64encode(text).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> Self:
        """The place that `write` wrote.

        Raises:
            BadCursor: it did not.
        """
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            rank, key, product_id = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
            if not (type(rank) is type(key) is int and type(product_id) is str and abs(rank) < INT64):
                raise ValueError(cursor)
            if not -INT64 <= key < INT64:
                raise ValueError(cursor)
            return cls(rank, key, product_id)
        except (ValueError, TypeError, binascii.Error) as error:
            raise BadCursor(
                "Give back next_cursor of the page before, unchanged; or leave cursor out."
            ) from error


def words(asked: str) -> list[str]:
    """The words of a search, small and without accents: `São  Lâmpada` → `["sao", "lampada"]`."""
    decomposed = unicodedata.normalize("NFD", asked.lower())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return plain.replace("_", " ").split()[:MOST_WORDS]
