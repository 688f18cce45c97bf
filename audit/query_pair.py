"""A comparison inside ClickHouse: what the facts say against what a job keeps, as two queries."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from audit.comparison import About, Comparison
from audit.stores import Stores
from audit.tables import compare_tables


@dataclass(frozen=True)
class QueryPair:
    """`audit/queries/<name>/expected.sql` tells it again from the facts, `actual.sql` reads what is kept.

    Both answer the same columns; those of `about.key` identify a row.
    """

    about: About

    def compare(self, expected: pa.Table, actual: pa.Table) -> Comparison:
        """Compare the two answers."""
        return compare_tables(self.about, expected, actual)

    def run(self, stores: Stores) -> Iterator[Comparison]:
        """Ask both queries and compare."""
        expected = stores.clickhouse.query(f"{self.about.name}/expected")
        yield self.compare(expected, stores.clickhouse.query(f"{self.about.name}/actual"))
