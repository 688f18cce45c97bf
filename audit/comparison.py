"""The result of comparing two stores: how much was compared, and every difference."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | None
"""One side of a difference; None if that side has no such row."""

MAX_DIFFERENCES = 100
"""A comparison keeps this many differences and counts the others."""


@dataclass(frozen=True)
class ComparisonSpec:
    """The name and the subject of a comparison.

    `left` names the store that is right by definition, `right` the store that is checked. `key` has the
    columns that identify a row on both sides. `unit` says what a row is (`orders`, `seller days`, ...).
    """

    name: str
    what: str
    left: str
    right: str
    unit: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A figure on which the two stores disagree. `field` is `row` if one of them has no such row."""

    key: Mapping[str, Value]
    field: str
    left: Value
    right: Value

    @property
    def row(self) -> str:
        """The row as text: `name=value` of each column of the key."""
        return " ".join(f"{name}={value}" for name, value in self.key.items())


@dataclass(frozen=True)
class ComparisonResult:
    """The result of one comparison.

    `rows` counts the distinct keys of both sides, `figures` the single values compared, and `totals` has the
    sum of each integer column on (left, right). `explained` counts the rows that the right side lacks because
    they are in a dead-letter topic. `differences` has the first `MAX_DIFFERENCES` of `difference_count`, and
    `differing` the keys of all of them (see `audit.tables.joined_keys`). `unread` says why a side could not
    be read.
    """

    spec: ComparisonSpec
    rows: int = 0
    figures: int = 0
    explained: int = 0
    totals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    difference_count: int = 0
    notes: tuple[str, ...] = ()
    unread: str = ""
    differing: frozenset[str] = frozenset()

    @property
    def verdict(self) -> str:
        """`differ`, `agree`, `nothing to compare` (both stores are empty), or `not compared`."""
        if self.unread:
            return "not compared"
        if self.difference_count:
            return "differ"
        return "agree" if self.rows else "nothing to compare"
