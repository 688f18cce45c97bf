"""Which dead letters of a topic were dealt with: all before one place, and some beyond it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from common.errors import UserError

LONGEST_NOTE = 4_096
"""Bytes that Kafka keeps beside a group's offset (`offset.metadata.max.bytes`)."""


@dataclass(frozen=True, slots=True)
class DealtWith:
    """All letters before the offset `before`, and those at the offsets `beyond`."""

    before: int
    beyond: frozenset[int] = frozenset()

    @classmethod
    def noted(cls, before: int, note: str | None) -> Self:
        """As `note` said it: ranges such as `7-9,12`."""
        ranges = [text.partition("-") for text in (note or "").split(",") if text]
        spans = (range(int(first), int(last or first) + 1) for first, _, last in ranges)
        return cls(before, frozenset(offset for span in spans for offset in span))

    def __contains__(self, offset: int) -> bool:
        return offset < self.before or offset in self.beyond

    def and_also(self, offsets: Sequence[int], lying: Sequence[int]) -> "DealtWith":
        """With these offsets, too; `lying` are those of all letters from `before` on, in order."""
        done = self.beyond.union(each for each in offsets if each >= self.before)
        left = [each for each in lying if each not in done]
        before = left[0] if left else max([self.before, *(each + 1 for each in done)])
        return DealtWith(before, frozenset(each for each in done if each > before))

    @property
    def note(self) -> str:
        """`beyond`, as Kafka keeps it beside the offset `before`.

        Raises:
            UserError: they lie too far apart from each other for that.
        """
        note = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self._ranges())
        if len(note) > LONGEST_NOTE:
            raise UserError(
                f"letters in too many places would count as dealt with: deal with the oldest, {self.before}, "
                "and those after it first (./souk dlq replay, or discard). Nothing was done"
            )
        return note

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """First and last of each run of offsets."""
        firsts = sorted(each for each in self.beyond if each - 1 not in self.beyond)
        lasts = sorted(each for each in self.beyond if each + 1 not in self.beyond)
        return zip(firsts, lasts, strict=True)
