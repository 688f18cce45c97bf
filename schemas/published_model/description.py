"""The description of a published model: what it is, and what must be in Redis for it to be complete. Pure."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from math import isfinite

import orjson

from schemas.published_model.keys import Layout

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
