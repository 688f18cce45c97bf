"""The words of a search, its sort order, and the cursor of its pages. Pure."""

from dataclasses import dataclass
from typing import Literal, Self

from common.cursor import INT64, decode_cursor, encode_cursor

Sort = Literal["best", "relevance", "newest", "cheapest", "dearest"]
"""`best` has the best match first; in a list without words, the most popular product. Then comes the newest.

`relevance` is the order of `best`, of which the shop makes a personal one for visitors whom it knows.
"""

MAX_WORDS = 8
"""The largest number of words in a search. Further words are ignored."""


@dataclass(frozen=True, slots=True)
class ProductCursor:
    """The position of the last product of a page."""

    rank: int = -1
    key: int = -INT64
    product_id: str = ""

    def encode(self) -> str:
        """Return the position as opaque, URL-safe text."""
        return encode_cursor(self.rank, self.key, self.product_id)

    @classmethod
    def decode(cls, cursor: str) -> Self:
        """Return the position that `encode` wrote.

        Raises:
            BadCursor: the text is not a cursor of this list.
        """
        rank, key, product_id = decode_cursor(cursor, (int, int, str))
        return cls(int(rank), int(key), str(product_id))


END_OF_LIST = ProductCursor(INT64 - 1)
"""A position behind every product."""


def search_words(text: str) -> list[str]:
    """Return the words of a search: `São  Lâmpada` → `["São", "Lâmpada"]`. The query folds them."""
    return text.replace("_", " ").split()[:MAX_WORDS]
