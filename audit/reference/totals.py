"""Figures of each seller, or of the marketplace as a whole, for each part of a period."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from audit.reference.calendar import Calendar

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
