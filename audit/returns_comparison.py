"""Compares the returns that sellers registered with what the services recorded of them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.grouping import grouped
from audit.sources.kafka import DeadLetterRecord
from audit.stores import NEVER_RAN, Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from common.errors import Rejected
from schemas.codec import Record

_EVENT_COLUMNS = ("event_id", "order_id", "return_id", "processed")


@dataclass(frozen=True)
class ReturnsComparison:
    """`audit/queries/<name>/expected.sql` reads the events from ClickHouse, `actual.sql` the service's rows.

    The events have event_id, order_id, return_id, the other columns of `spec.key`, and integers, which are
    summed by that key. The service's rows have the key and the sums that are not all 0. Returns that orders
    rejected are left out.
    """

    spec: ComparisonSpec

    def run(self, stores: Stores) -> Iterator[ComparisonResult | TableComparison]:
        """Yield the comparison; it also reads the inbox and the dead letters of orders."""
        if stores.service_db.exists():
            yield TableComparison(self.spec, partial(self._read, stores))
        else:
            yield ComparisonResult(self.spec, notes=(NEVER_RAN,))

    def _read(self, stores: Stores, keys: KeyFilter | None) -> Sides:
        name = self.spec.name
        recorded = stores.service_db.query(f"{name}/actual", keys)
        processed = stores.service_db.query("returns/processed")
        events = stores.clickhouse.query(f"{name}/expected", keys=keys)
        if recorded is None or processed is None:
            raise ValueError(f"{name}: the service has no tables")
        rejected = rejected_by("orders", stores.kafka.dead_letters("order_returned"), stores.kafka.decode)
        return self.sides(events, recorded, processed["event_id"], rejected)

    def sides(
        self, events: pa.Table, recorded: pa.Table, processed: pa.ChunkedArray, rejected: frozenset[str]
    ) -> Sides:
        """Return both sides, with each return counted once.

        An event that orders rejected is explained, unless orders processed it later, after its dead letter
        was replayed.

        Args:
            events, recorded: the results of the two queries.
            processed: ids of the events that orders processed.
            rejected: ids of the events with a dead letter of orders.
        """
        is_processed = _is_among(events["event_id"], processed)
        is_rejected = pc.is_in(events["event_id"], value_set=pa.array(rejected, pa.string()))
        explained = pc.and_not(is_rejected, is_processed)
        counted = events.append_column("processed", pc.cast(is_processed, pa.int8())).filter(
            pc.invert(explained)
        )
        return Sides(
            self._sums(one_event_per_return(counted)), recorded, pc.sum(explained, min_count=0).as_py()
        )

    def _sums(self, events: pa.Table) -> pa.Table:
        """Return the sums of each key that are not all 0."""
        figures = [name for name in events.column_names if name not in {*self.spec.key, *_EVENT_COLUMNS}]
        sums = grouped(events, self.spec.key, [(name, "sum") for name in figures])
        sums = sums.select([*self.spec.key, *(f"{name}_sum" for name in figures)])
        named = sums.rename_columns([*self.spec.key, *figures])
        largest = pc.max_element_wise(*(pc.abs(named[name]) for name in figures))
        return named.filter(pc.greater(largest, 0))


def one_event_per_return(events: pa.Table) -> pa.Table:
    """Return, for each return, the rows of the event that was processed, or else of the first event.

    Args:
        events: event_id, order_id, return_id, processed (1 or 0), and any other columns.
    """
    in_order = events.sort_by([("processed", "descending"), ("event_id", "ascending")])
    by_return = grouped(in_order, ("order_id", "return_id"), [("event_id", "first")], use_threads=False)
    return events.filter(_is_among(events["event_id"], by_return["event_id_first"]))


def rejected_by(
    service: str, dead_letters: Iterable[DeadLetterRecord], decode: Callable[[bytes], Record]
) -> frozenset[str]:
    """Return the ids of the events that a service rejected; dead letters that are no events are left out."""
    rejected = set()
    for record in dead_letters:
        if record.stage == service:
            with suppress(Rejected):
                rejected.add(str(decode(record.value)["event_id"]))
    return frozenset(rejected)


def _is_among(values: pa.ChunkedArray, value_set: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(values, value_set=value_set.combine_chunks())
