"""Compares the events that the services processed with the facts: every processed event must exist."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonResult, ComparisonSpec
from audit.stores import NEVER_RAN, Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison

SPEC = ComparisonSpec(
    name="inbox_vs_facts",
    what="every event that a service processed",
    left="inboxes",
    right="facts",
    unit="events",
    key=("service", "event_id"),
)


def with_facts(processed: pa.Table, event_ids: pa.ChunkedArray) -> pa.Table:
    """Return the rows of `processed` (service, event_id) whose event is among the facts."""
    return processed.filter(pc.is_in(processed["event_id"], value_set=event_ids.combine_chunks()))


def run(stores: Stores) -> Iterator[ComparisonResult | TableComparison]:
    """Look up every event of the inboxes in the fact table of its topic."""
    if stores.service_db.exists():
        yield TableComparison(SPEC, partial(_read, stores))
    else:
        yield ComparisonResult(SPEC, notes=(NEVER_RAN,))


def _read(stores: Stores, keys: KeyFilter | None) -> Sides:
    inbox = stores.service_db.query("inbox_vs_facts/expected", keys)
    if inbox is None:
        raise ValueError("a service has no inbox")
    empty = inbox.drop_columns(["topic"]).schema.empty_table()
    processed, found = [empty], [empty]
    for topic in sorted(set(inbox["topic"].to_pylist())):
        of_topic = inbox.filter(pc.equal(inbox["topic"], topic)).drop_columns(["topic"]).combine_chunks()
        processed.append(of_topic)
        found.append(with_facts(of_topic, stores.clickhouse.facts(topic, ["event_id"])["event_id"]))
    return Sides(pa.concat_tables(processed), pa.concat_tables(found))
