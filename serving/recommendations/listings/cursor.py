"""The cursor of a personal list: the end of its window, and what was shown of it. Pure."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from common.cursor import BadCursor, decode_cursor, encode_cursor

DIGEST_BYTES = 5
"""Of a product's id. In a window of 240 products, two have the same digest once in 38 million windows."""

MAX_CURSOR = 2_500
"""The largest length of a cursor: 240 digests, and a position with a product id of 128 characters."""


@dataclass(frozen=True, slots=True)
class PersonalCursor:
    """The position of the last product of the window, and the digests of its products that were shown.

    `until` is None if the window has all products of the list. The next page is read again up to `until`, and
    leaves out what was shown. So no product is shown twice or is missing, although the order changes with
    every click. Products that were listed since are in the next page.
    """

    until: str | None
    shown: frozenset[bytes]

    def encode(self) -> str:
        """Return the cursor as opaque, URL-safe text."""
        digests = base64.b64encode(b"".join(sorted(self.shown))).decode()
        return encode_cursor(self.until or "", digests)

    @classmethod
    def decode(cls, cursor: str) -> Self:
        """Return what `encode` wrote.

        Raises:
            BadCursor: the text is not a cursor of a personal list.
        """
        until, digests = (str(each) for each in decode_cursor(cursor, (str, str)))
        try:
            packed = base64.b64decode(digests, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadCursor from error
        if not packed or len(packed) % DIGEST_BYTES:
            raise BadCursor
        found = (packed[start : start + DIGEST_BYTES] for start in range(0, len(packed), DIGEST_BYTES))
        return cls(until or None, frozenset(found))

    @classmethod
    def is_one(cls, cursor: str) -> bool:
        """Return whether a text is such a cursor, and not that of the list of everybody."""
        try:
            cls.decode(cursor)
        except BadCursor:
            return False
        return True

    def has_shown(self, product_id: str) -> bool:
        """Return whether a product of the window was shown."""
        return digest(product_id) in self.shown

    def after(self, product_ids: Iterable[str]) -> Self:
        """Return the cursor after further products were shown."""
        return type(self)(self.until, self.shown | {digest(each) for each in product_ids})


def digest(product_id: str) -> bytes:
    """Return the digest of a product's id."""
    return blake2b(product_id.encode(), digest_size=DIGEST_BYTES).digest()
