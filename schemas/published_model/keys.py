"""The keys of published models, and which bucket has the row of a product. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import orjson

STATE = "recommender"
"""A hash with the fields `IN_USE`, `PREVIOUS`, `ROLLED_BACK` and `WEIGHTS`. One command changes several of
them."""

IN_USE = "in_use"
PREVIOUS = "previous"
ROLLED_BACK = "rolled_back"
WEIGHTS = "weights"

PUBLICATIONS = "recommender_publications"
"""A hash: version → `Layout.pack()`. It has every version of which a key may exist."""

ROWS_PER_BUCKET = 1_000
"""The mean number of rows in a hash. Few keys make a version quick to check and to remove; small hashes are
freed within about a millisecond."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The number of hashes of rows, and of pieces of ids, of a version: its keys are known from them."""

    buckets: int
    pieces: int

    @classmethod
    def of(cls, products: int, pieces: int) -> "Layout":
        """Return the layout of a catalogue."""
        return cls(max(1, -(-products // ROWS_PER_BUCKET)), pieces)

    def pack(self) -> bytes:
        """Return the layout as JSON."""
        return orjson.dumps((self.buckets, self.pieces))

    @classmethod
    def unpack(cls, packed: bytes) -> "Layout":
        """Return the layout that `pack` wrote.

        Raises:
            ValueError: the bytes are no layout.
        """
        buckets, pieces = orjson.loads(packed)
        if not (type(buckets) is type(pieces) is int and 1 <= buckets <= 10**6 and 0 <= pieces <= 10**6):
            raise ValueError(f"no layout of a published model: {packed[:80]!r}")
        return cls(buckets, pieces)

    def keys(self, version: str) -> Iterator[str]:
        """Return all keys of a version. That of the description comes first."""
        yield description_key(version)
        yield from (ids_key(version, piece) for piece in range(self.pieces))
        yield from (rows_key(version, bucket) for bucket in range(self.buckets))

    def rows_key_of(self, version: str, product_id: str) -> str:
        """Return the key of the hash that has the row of a product."""
        return rows_key(version, bucket_of(product_id, self.buckets))


def description_key(version: str) -> str:
    """Return the key of a version's description."""
    return f"recommender:{version}:model"


def ids_key(version: str, piece: int) -> str:
    """Return the key of a piece of a version's product ids."""
    return f"recommender:{version}:ids:{piece}"


def rows_key(version: str, bucket: int) -> str:
    """Return the key of the hash with the rows of a bucket."""
    return f"recommender:{version}:rows:{bucket}"


def bucket_of(product_id: str, buckets: int) -> int:
    """Return the number of the bucket of a product, from 0 to `buckets` - 1."""
    return crc32(product_id.encode()) % buckets
