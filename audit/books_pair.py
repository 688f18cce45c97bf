"""A comparison of the commerce services' books in PostgreSQL: with the facts, or with each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.comparison import About, Comparison
from audit.stores import Stores
from audit.tables import compare_tables

OWN_ORDER = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""Ids of orders that the service placed: UUIDv7, dashed. Those of replayed or simulated history are not."""

NEVER_RAN = "the commerce services have never run here"


@dataclass(frozen=True)
class BooksPair:
    """`audit/queries/<name>/books.sql` asks PostgreSQL, `facts.sql` ClickHouse (with `own_order`).

    Both answer the same columns; those of `about.key` identify a row.
    """

    about: About

    def run(self, stores: Stores) -> Iterator[Comparison]:
        """Ask both and compare. Where there are no books at all, every fact about a sale is too many."""
        facts = stores.clickhouse.query(f"{self.about.name}/facts", {"own_order": OWN_ORDER})
        books = stores.books.query(f"{self.about.name}/books")
        if books is None:
            yield compare_tables(self.about, facts.schema.empty_table(), facts, notes=(NEVER_RAN,))
        else:
            yield compare_tables(self.about, books, facts)


@dataclass(frozen=True)
class BooksInside:
    """`expected.sql` and `actual.sql` both ask PostgreSQL: what one service's books say of another's."""

    about: About

    def run(self, stores: Stores) -> Iterator[Comparison]:
        """Ask both and compare."""
        expected = stores.books.query(f"{self.about.name}/expected")
        actual = stores.books.query(f"{self.about.name}/actual")
        if expected is None or actual is None:
            yield Comparison(self.about, notes=(NEVER_RAN,))
        else:
            yield compare_tables(self.about, expected, actual)
