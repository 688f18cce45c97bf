"""The clock, as an argument: nothing else in the platform asks the machine what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Clock = Callable[[], datetime]
"""Returns now as an aware UTC datetime."""


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def to_millis(moment: datetime) -> int:
    """Unix milliseconds of an aware datetime, floored; exact, as a float of seconds is not."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_millis(millis: int) -> datetime:
    """The aware UTC datetime of Unix milliseconds."""
    seconds, rest = divmod(millis, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
