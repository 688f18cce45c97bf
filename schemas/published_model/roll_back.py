"""Who went back to a version of the model, as stored beside its name in Redis. Pure."""

from dataclasses import asdict, dataclass
from datetime import datetime

import orjson


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
