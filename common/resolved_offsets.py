"""The set of resolved dead letters of a topic: all before one offset, and some after it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from common.errors import UserError

RESOLVING_GROUP = "souk_dlq"
"""The consumer group whose committed offsets and their metadata hold `ResolvedOffsets`."""

MAX_METADATA_BYTES = 4_096
"""Kafka's limit for the metadata of a committed offset (`offset.metadata.max.bytes`)."""


@dataclass(frozen=True, slots=True)
class ResolvedOffsets:
    """The letters before the offset `before` and those at the offsets `beyond` are resolved."""

    before: int
    beyond: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, before: int, metadata: str | None) -> Self:
        """Return the offsets for a committed offset and its metadata: ranges such as `7-9,12`."""
        ranges = [text.partition("-") for text in (metadata or "").split(",") if text]
        spans = (range(int(first), int(last or first) + 1) for first, _, last in ranges)
        return cls(before, frozenset(offset for span in spans for offset in span))

    def __contains__(self, offset: int) -> bool:
        return offset < self.before or offset in self.beyond

    def with_resolved(self, offsets: Iterable[int], present: Iterable[int]) -> "ResolvedOffsets":
        """Return a copy with further offsets.

        `present` are the offsets of all letters from `before` on, ascending. It is read up to the first one
        that is not resolved.
        """
        beyond = self.beyond.union(each for each in offsets if each >= self.before)
        first = next((each for each in present if each not in beyond), None)
        before = max((each + 1 for each in beyond), default=self.before) if first is None else first
        return ResolvedOffsets(before, frozenset(each for each in beyond if each > before))

    @property
    def metadata(self) -> str:
        """`beyond` as the metadata of the committed offset `before`.

        Raises:
            UserError: the ranges exceed Kafka's limit for metadata.
        """
        text = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self._ranges())
        if len(text) > MAX_METADATA_BYTES:
            raise UserError(
                "the resolved dead letters would form too many separate ranges, so nothing was changed: "
                f"replay or discard the oldest one, {self.before}, and those after it first (./souk dlq)"
            )
        return text

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last offset of each run of consecutive offsets."""
        firsts = sorted(each for each in self.beyond if each - 1 not in self.beyond)
        lasts = sorted(each for each in self.beyond if each + 1 not in self.beyond)
        return zip(firsts, lasts, strict=True)
