"""Ids: what an id in a request may be, and UUIDv7 ids (RFC 9562) of our own.

UUIDv7 ids are random for live events, and derived from the source row for replayed events.
"""

import re
from hashlib import blake2b
from typing import Annotated

import uuid_utils
from pydantic import AfterValidator, StringConstraints

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
"""Pattern of ids and texts in requests: any characters except control characters."""

MAX_ID_LENGTH = 128

_ID = r"^(\.{0,2}[^.\x00-\x1f\x7f]|\.{3})[^\x00-\x1f\x7f]*$"

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH, pattern=_ID)]
"""The id of anything in a request: opaque text without control characters.

`.` and `..` are none, because no address can have them as a segment, however they are written.
`common.request_path` writes ids into addresses and reads them."""

Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""The UUID of anything in a request, in canonical form: lower case, with dashes."""

VoucherCode = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9-]{4,32}$"), AfterValidator(str.upper)]
"""The code of a voucher, entered in upper or lower case."""

MAX_VOUCHER_CODES = 5
"""Codes of one order, or in one cart."""

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


_IS_ID = re.compile(_ID)


def is_id(text: str) -> bool:
    """Return whether a text is an `Id`: one that a file has is checked by the rule of requests."""
    return len(text) <= MAX_ID_LENGTH and _IS_ID.fullmatch(text) is not None


def new_id() -> str:
    """Return a new random UUIDv7 with the current time, in canonical form."""
    return str(uuid_utils.uuid7())


CART_PREFIX = "souk-cart-"
"""What the ids of this shop's carts begin with, and those of other shops' carts may not.

Whoever reads an event of a cart knows whose cart it is, without a key and without a list.
"""


def new_cart_id() -> str:
    """Return a new id of a cart of this shop: a UUIDv7 with `CART_PREFIX`."""
    return f"{CART_PREFIX}{new_id()}"


def is_uuid7(text: str) -> bool:
    """Return whether `text` is a UUIDv7 in canonical form: lower case, with dashes."""
    return _UUID7.fullmatch(text) is not None


def derived_event_id(occurred_at_ms: int, *parts: str) -> str:
    """Return the UUIDv7 of a replayed event. The same source row always gives the same id.

    The 48 time bits are `occurred_at_ms` (Unix milliseconds); the other 74 bits are a BLAKE2b
    digest of `parts` (event name, source keys). Replaying twice therefore changes no figure.
    """
    digest = int.from_bytes(blake2b("\x1f".join(parts).encode(), digest_size=10).digest(), "big")
    value = (occurred_at_ms & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (digest >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | digest & 0x3FFF_FFFF_FFFF_FFFF
    digits = f"{value:032x}"  # twice as fast as uuid.UUID, in the hottest loop of a replay
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
