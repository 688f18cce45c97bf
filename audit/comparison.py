"""What a comparison of two stores found: how much was compared, and every difference."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | None
"""One side of a difference; None where the side has no such row."""

SHOWN = 100
"""A comparison keeps this many differences and counts the rest."""


@dataclass(frozen=True)
class About:
    """What a comparison is about, in the shop's words.

    `left` is the store that is believed, `right` the one that is checked. `key` names the columns that
    identify a row on both sides; `unit` says what such a row is (`orders`, `seller days`, ...).
    """

    name: str
    what: str
    left: str
    right: str
    unit: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One figure on which the two stores disagree; field `row` where one of them has no such row."""

    key: Mapping[str, Value]
    field: str
    left: Value
    right: Value


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing two stores.

    `rows` counts the distinct keys of both sides together, `figures` the single values compared,
    `totals` the sum of each column of whole numbers on (left, right). `explained` counts the rows that
    are missing on the right because they lie in a dead-letter topic. `differences` holds the first
    `SHOWN` of `difference_count`. `unread` says why a side that should be there could not be read.
    """

    about: About
    rows: int = 0
    figures: int = 0
    explained: int = 0
    totals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    difference_count: int = 0
    notes: tuple[str, ...] = ()
    unread: str = ""

    @property
    def verdict(self) -> str:
        """`differ`, `agree`, `nothing to compare` (two empty stores prove nothing), or `not compared`."""
        if self.unread:
            return "not compared"
        if self.difference_count:
            return "differ"
        return "agree" if self.rows else "nothing to compare"
