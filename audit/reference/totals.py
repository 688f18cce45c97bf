"""Figures of each seller, or of the marketplace as a whole, for each part of a period.

The parts are the months, weeks, days or hours of the shop.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from audit.reference.arithmetic import HOUR_MS, QUARTER_HOUR_MS

Part = Literal["total", "month", "week", "day", "hour"]


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """Return when a day begins, as Unix milliseconds. If clocks skip midnight, it begins after that hour."""
    return int(datetime.combine(day, time.min, zone).timestamp()) * 1000


class Calendar:
    """The parts of a time, each with a name: `total`, `2018-06`, `2018-W24`, `2018-06-17` or an hour.

    Moments are Unix milliseconds. The time goes from `first_ms` to before `end_ms`.
    """

    def __init__(self, zone: ZoneInfo, part: Part, first_ms: int, end_ms: int, now_ms: int) -> None:
        """`now_ms`: the time in which nothing has happened yet begins here."""
        self._zone = zone
        self._part = part
        self._first_ms, self._end_ms = first_ms, end_ms
        self._until_ms = min(end_ms, now_ms)
        self._name = lru_cache(maxsize=None)(self._name_of_quarter_hour)

    def name(self, moment_ms: int) -> str | None:
        """Return the part that contains a moment; None if it is outside the time."""
        if self._first_ms <= moment_ms < self._end_ms:
            return self._name(moment_ms // QUARTER_HOUR_MS)
        return None

    def starting(self, moment_ms: int) -> str:
        """Return the part that starts at a moment, also if the time begins later within this part."""
        return self._name(moment_ms // QUARTER_HOUR_MS)

    def ends(self, moment_ms: int) -> Iterator[int]:
        """Yield the end of the part that contains a moment, and of each later part.

        If the time is not over, the last end is now.
        """
        moment_ms = max(moment_ms, self._first_ms)
        while moment_ms < self._until_ms:
            moment_ms = min(self._next_part(moment_ms), self._until_ms)
            yield moment_ms

    def _name_of_quarter_hour(self, quarter_hour: int) -> str:
        local = datetime.fromtimestamp(quarter_hour * QUARTER_HOUR_MS // 1000, self._zone)
        match self._part:
            case "total":
                return "total"
            case "month":
                return f"{local:%Y-%m}"
            case "week":
                year, week, _ = local.isocalendar()
                return f"{year}-W{week:02}"
            case "day":
                return f"{local:%Y-%m-%d}"
        return local.replace(minute=0).isoformat(timespec="minutes")

    def _next_part(self, moment_ms: int) -> int:
        if self._part == "total":
            return self._end_ms
        if self._part == "hour":
            return (moment_ms // HOUR_MS + 1) * HOUR_MS
        day = datetime.fromtimestamp(moment_ms // 1000, self._zone).date()
        if self._part == "month":
            next_day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        else:
            next_day = day + timedelta(days=7 - day.weekday() if self._part == "week" else 1)
        return midnight_ms(next_day, self._zone)


F = TypeVar("F")

ALL_SELLERS = "*"
"""Stands for all sellers together where something has the id of a seller."""


class Sheet(Generic[F]):
    """Figures by owner and part of the time. The owner is a seller, or `ALL_SELLERS` if `as_one` is true.

    `calendars` returns the calendar of an owner; None if nobody asked for this owner.
    """

    def __init__(
        self, figures: Callable[[], F], calendars: Callable[[str], Calendar | None], *, as_one: bool
    ) -> None:
        self._new = figures
        self._calendars = calendars
        self._as_one = as_one
        self.figures: dict[tuple[str, str], F] = {}

    def owner(self, seller_id: str) -> str:
        """Return whose figures those of a seller are."""
        return ALL_SELLERS if self._as_one else seller_id

    def contains(self, seller_id: str, moment_ms: int) -> bool:
        """Return whether somebody asked for what happened to a seller at a moment."""
        calendar = self._calendars(self.owner(seller_id))
        return calendar is not None and calendar.name(moment_ms) is not None

    def at(self, seller_id: str, moment_ms: int) -> F:
        """Return the figures to which something that happened at a moment belongs.

        If nobody asked for them, what is added to them is lost.
        """
        owner = self.owner(seller_id)
        calendar = self._calendars(owner)
        part = calendar.name(moment_ms) if calendar else None
        if part is None:
            return self._new()
        found = self.figures.get((owner, part))
        if found is None:
            found = self.figures[owner, part] = self._new()
        return found

    def ends(self, seller_id: str, moment_ms: int) -> Iterator[int]:
        """Yield the end of the part of the time that contains a moment, and of each later one."""
        calendar = self._calendars(self.owner(seller_id))
        return calendar.ends(moment_ms) if calendar else iter(())
