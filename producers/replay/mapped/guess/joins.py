"""Proposes which file has the order lines, and which other files have details of them."""

from dataclasses import dataclass

from producers.replay.mapped.guess.profile import ColumnProfile, FileProfile
from producers.replay.mapped.guess.vocabulary import KNOWN, name_score, normal

_LINE_FIELDS = ("product", "product_name", "price", "line_price", "quantity", "order", "line", "time")


@dataclass(frozen=True)
class ProposedJoin:
    """A file whose column `key` identifies its rows, and the lines' column that refers to it."""

    file: FileProfile
    on: ColumnProfile
    key: ColumnProfile

    @property
    def is_of_orders(self) -> bool:
        """Whether the file has a row for each order."""
        return name_score("order", self.key.name) > KNOWN


def line_file(files: list[FileProfile]) -> FileProfile:
    """Return the file that looks most like order lines: it names products, prices, quantities, orders."""

    def score(file: FileProfile) -> tuple[int, int]:
        fields = [max((name_score(each, column.name) for column in file.columns), default=0) > 40
                  for each in _LINE_FIELDS]  # fmt: skip
        # In a list of products or of orders, the product or the order does not repeat.
        repeats = any(
            not column.is_unique and name_score(each, column.name) > KNOWN
            for each in ("product", "order", "product_name")
            for column in file.columns
        )
        return (sum(fields) + 2 * repeats, file.rows)

    return max(files, key=score)


def propose_joins(lines: FileProfile, others: list[FileProfile]) -> list[ProposedJoin]:
    """Return the joins of other files, each after the one that has its `on`."""
    joins: list[ProposedJoin] = []
    left = list(others)
    while True:
        known = [*lines.columns, *(column for join in joins for column in join.file.columns)]
        found = next((join for file in left if (join := _join(known, file))), None)
        if found is None:
            return joins
        joins.append(found)
        left = [file for file in left if file is not found.file]


def _join(known: list[ColumnProfile], file: FileProfile) -> ProposedJoin | None:
    for key in file.columns:
        if not key.is_unique or key.missing_share or len(key.given) < 2:
            continue
        values = set(key.given)
        for on in known:
            if _same_name(on.name, key.name, file) and values & set(on.given):
                return ProposedJoin(file, on, key)
    return None


def _same_name(on: str, key: str, file: FileProfile) -> bool:
    left, right = normal(on), normal(key)
    stem = normal(file.path.stem)
    singular = {stem, stem.removesuffix("s"), stem.removesuffix("es")}
    return left == right or (right in ("id", "code") and any(left == f"{each}_{right}" for each in singular))
