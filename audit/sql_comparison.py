"""Compares two queries: `audit/queries/<name>/{expected,actual}.sql`, described by `comparison.toml`."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.returns_comparison import ReturnsComparison
from audit.stores import NEVER_RAN, Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison

QUERIES = Path(__file__).resolve().parent / "queries"
DESCRIPTION = "comparison.toml"

StoreName = Literal["clickhouse", "postgres"]


@dataclass(frozen=True)
class SqlComparison:
    """`expected.sql` runs in the store that is right by definition, `actual.sql` in the checked store.

    Both queries return the same columns; those of `spec.key` identify a row.
    """

    spec: ComparisonSpec
    expected: StoreName
    actual: StoreName

    def run(self, stores: Stores) -> Iterator[ComparisonResult | TableComparison]:
        """Yield the comparison of both queries.

        If the service databases have no tables, all rows of ClickHouse are differences.
        """
        if "postgres" not in (self.expected, self.actual) or stores.service_db.exists():
            yield TableComparison(self.spec, partial(self._read, stores))
        elif self.actual == "clickhouse":
            yield TableComparison(self.spec, partial(self._read, stores), notes=(NEVER_RAN,))
        else:
            yield ComparisonResult(self.spec, notes=(NEVER_RAN,))

    def _read(self, stores: Stores, keys: KeyFilter | None) -> Sides:
        expected, actual = (
            self._query(stores, store, file, keys)
            for store, file in ((self.expected, "expected"), (self.actual, "actual"))
        )
        if actual is None or expected is None:
            existing = expected if actual is None else actual
            if existing is None:
                raise ValueError(f"{self.spec.name}: neither side has its tables")
            empty = existing.schema.empty_table()
            expected, actual = (empty if side is None else side for side in (expected, actual))
        return Sides(expected, actual)

    def _query(self, stores: Stores, store: StoreName, file: str, keys: KeyFilter | None) -> pa.Table | None:
        name = f"{self.spec.name}/{file}"
        if store == "postgres":
            return stores.service_db.query(name, keys)
        return stores.clickhouse.query(name, keys=keys)


def read_description(folder: Path) -> SqlComparison | ReturnsComparison:
    """Return the comparison that `comparison.toml` in a folder of `audit/queries/` describes.

    Raises:
        ValueError: a line is missing or unknown, or names a store that does not exist.
    """
    described = tomllib.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    try:
        expected, actual = described.pop("expected"), described.pop("actual")
        spec = ComparisonSpec(
            name=folder.name,
            what=described.pop("what"),
            left=expected["label"],
            right=actual["label"],
            unit=described.pop("unit"),
            key=tuple(described.pop("key")),
        )
        stores: tuple[StoreName, StoreName] = (expected["store"], actual["store"])
    except KeyError as error:
        raise ValueError(f"{folder.name}/{DESCRIPTION} has no {error.args[0]}") from error
    of_returns = described.pop("of_returns", False)
    if described:
        raise ValueError(f"{folder.name}/{DESCRIPTION}: unknown {', '.join(described)}")
    if unknown := set(stores) - set(get_args(StoreName)):
        raise ValueError(f"{folder.name}/{DESCRIPTION}: there is no store {', '.join(sorted(unknown))}")
    return ReturnsComparison(spec) if of_returns else SqlComparison(spec, *stores)


def discover() -> dict[str, SqlComparison | ReturnsComparison]:
    """Return the comparisons of `audit/queries/` by name, those within ClickHouse first."""
    found = [read_description(path.parent) for path in sorted(QUERIES.glob(f"*/{DESCRIPTION}"))]
    return {each.spec.name: each for each in sorted(found, key=lambda each: not _is_inside_clickhouse(each))}


def _is_inside_clickhouse(comparison: SqlComparison | ReturnsComparison) -> bool:
    return isinstance(comparison, SqlComparison) and comparison.expected == comparison.actual == "clickhouse"
