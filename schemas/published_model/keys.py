"""The keys of published models, which bucket has the row of a product, and what is stored as JSON. Pure.

JSON are the description of a model (what it is, and what must be in Redis for it to be complete) and the last
roll-back (who went back to a version).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from math import isfinite
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


FORMAT = 1
"""The version of the format of rows and ids. Readers pass over models of other formats."""


class UnreadableDescription(ValueError):
    """The bytes are no description of a model in this format."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a published model is.

    An event of a history weighs `decay` times as much as the next newer one. `rows` is the number of products
    that have neighbours, of all `products`. `catalogue` is the checksum of the product ids.
    """

    version: str
    model: str
    trained_at: datetime
    products: int
    rows: int
    neighbours: int
    decay: float
    catalogue: str
    buckets: int
    pieces: int

    @property
    def layout(self) -> Layout:
        """The numbers of keys."""
        return Layout(self.buckets, self.pieces)

    def pack(self) -> bytes:
        """Return the description as JSON."""
        return orjson.dumps({"format": FORMAT} | asdict(self))

    @classmethod
    def unpack(cls, packed: bytes) -> "Description":
        """Return the description that `pack` wrote.

        Raises:
            UnreadableDescription: it is damaged or has another format. The message says which.
        """
        try:
            values = orjson.loads(packed)
            if values.pop("format") != FORMAT:
                raise UnreadableDescription("the model has another format: train it again with this version")
            values["trained_at"] = datetime.fromisoformat(values["trained_at"])
            found = cls(**{field.name: values[field.name] for field in fields(cls)})
            counts = (found.products, found.rows, found.neighbours, found.buckets, found.pieces)
            valid = all(type(count) is int and count >= 0 for count in counts) and 0 < found.decay <= 1
            if not (valid and isfinite(found.decay) and found.buckets):
                raise UnreadableDescription("the description of the model has impossible values")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, UnreadableDescription):
                raise
            raise UnreadableDescription(f"the description of the model can't be read: {error}") from error
        return found


@dataclass(frozen=True, slots=True)
class RollBack:
    """A roll-back to `version`, with the person or process that made it, and the reason."""

    version: str
    at: datetime
    by: str
    reason: str

    def pack(self) -> bytes:
        """Return the roll-back as JSON."""
        return orjson.dumps(asdict(self))

    @classmethod
    def unpack(cls, packed: bytes) -> "RollBack | None":
        """Return the roll-back that `pack` wrote; None if the bytes are empty or damaged."""
        try:
            values = orjson.loads(packed)
            return cls(
                str(values["version"]),
                datetime.fromisoformat(values["at"]),
                str(values["by"]),
                str(values["reason"]),
            )
        except (ValueError, KeyError, TypeError):
            return None
