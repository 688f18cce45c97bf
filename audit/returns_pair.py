"""A comparison of what came back, by what sellers say, with what a service's books say of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from audit.books_pair import NEVER_RAN, OWN_ORDER
from audit.comparison import About, Comparison
from audit.sources.kafka import DeadLetter
from audit.stores import Stores
from audit.tables import compare_tables
from common.errors import Rejected
from schemas.codec import Record


@dataclass(frozen=True)
class ReturnsPair:
    """`audit/queries/<name>/facts.sql` asks ClickHouse (with `own_order`), `books.sql` PostgreSQL.

    The facts are event_id, order_id, return_id, what else is in `about.key`, and whole numbers, which are
    added up by that key. The books are the key and the sums, where they are not all 0; `service` keeps them.
    With `without_lines`, orders that `without_lines.sql` answers are left out: the books can't say.
    """

    about: About
    service: str
    without_lines: bool = False

    def run(self, stores: Stores) -> Iterator[Comparison]:
        """Ask both and compare, and look into the service's inbox and the dead letters."""
        name = self.about.name
        facts = stores.clickhouse.query(f"{name}/facts", {"own_order": OWN_ORDER})
        books = stores.books.query(f"{name}/books")
        acted_on = stores.books.query("returns/acted_on")
        if books is None or acted_on is None:
            yield Comparison(self.about, notes=(NEVER_RAN,))
            return
        if self.without_lines and (unknown := stores.books.query(f"{name}/without_lines")) is not None:
            facts = facts.filter(pc.invert(_among(facts["order_id"], unknown["order_id"])))
        own = acted_on.filter(pc.equal(acted_on["service"], self.service))
        refused = refused_by(self.service, stores.kafka.dead_letters("order_returned"), stores.kafka.decode)
        yield self.compare(facts, books, own["event_id"], refused)

    def compare(
        self, facts: pa.Table, books: pa.Table, acted_on: pa.ChunkedArray, refused: frozenset[str]
    ) -> Comparison:
        """Compare what came back with the books, each return once.

        What the service rejected is explained, unless it acted on it later, when the letter was sent again.

        Args:
            facts, books: as the queries answer them.
            acted_on: ids of the events that the service acted on.
            refused: ids of the events of which there is a letter of the service.
        """
        taken = _among(facts["event_id"], acted_on)
        explained = pc.and_not(pc.is_in(facts["event_id"], value_set=pa.array(refused, pa.string())), taken)
        told = facts.append_column("taken", pc.cast(taken, pa.int8())).filter(pc.invert(explained))
        found = compare_tables(self.about, self._added_up(told_once(told)), books)
        return replace(found, explained=pc.sum(explained, min_count=0).as_py())

    def _added_up(self, facts: pa.Table) -> pa.Table:
        """The sums of each key, where they are not all 0."""
        figures = [name for name in facts.column_names if name not in {*self.about.key, *_OF_EVENTS}]
        sums = facts.group_by(list(self.about.key)).aggregate([(name, "sum") for name in figures])
        sums = sums.select([*self.about.key, *(f"{name}_sum" for name in figures)])
        named = sums.rename_columns([*self.about.key, *figures])
        largest = pc.max_element_wise(*(pc.abs(named[name]) for name in figures))
        return named.filter(pc.greater(largest, 0))


_OF_EVENTS = ("event_id", "order_id", "return_id", "taken")


def told_once(facts: pa.Table) -> pa.Table:
    """Of the events of each return the one that was taken, or the first.

    Args:
        facts: event_id, order_id, return_id, taken (1 or 0), and what else there is.
    """
    in_order = facts.sort_by([("taken", "descending"), ("event_id", "ascending")])
    by_return = in_order.group_by(["order_id", "return_id"], use_threads=False)
    return facts.filter(
        _among(facts["event_id"], by_return.aggregate([("event_id", "first")])["event_id_first"])
    )


def refused_by(
    service: str, letters: Iterable[DeadLetter], decode: Callable[[bytes], Record]
) -> frozenset[str]:
    """The ids of the events that a service rejected; what can't be decoded is no event."""
    refused = set()
    for letter in letters:
        if letter.stage == service:
            try:
                refused.add(str(decode(letter.value)["event_id"]))
            except Rejected:
                continue
    return frozenset(refused)


def _among(values: pa.ChunkedArray, known: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(values, value_set=known.combine_chunks())
