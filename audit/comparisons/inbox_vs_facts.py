"""Compares what the services acted on with the events that there are: nobody acts on what was never sent."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from audit.books_pair import NEVER_RAN
from audit.comparison import About, Comparison
from audit.stores import Stores
from audit.tables import compare_tables

ABOUT = About(
    name="inbox_vs_facts",
    what="every event that a service acted on",
    left="inboxes",
    right="facts",
    unit="events",
    key=("service", "event_id"),
)


def known(acted_on: pa.Table, event_ids: pa.ChunkedArray) -> pa.Table:
    """Those rows of `acted_on` (service, event_id) whose event there is."""
    return acted_on.filter(pc.is_in(acted_on["event_id"], value_set=event_ids.combine_chunks()))


def run(stores: Stores) -> Iterator[Comparison]:
    """Look up every event of the inboxes in the table of its topic."""
    inbox = stores.books.query("inbox_vs_facts/books")
    if inbox is None:
        yield Comparison(ABOUT, notes=(NEVER_RAN,))
        return
    acted_on, found = [], []
    for topic in sorted(set(inbox["topic"].to_pylist())):
        of_topic = inbox.filter(pc.equal(inbox["topic"], topic)).drop_columns(["topic"]).combine_chunks()
        acted_on.append(of_topic)
        found.append(known(of_topic, stores.clickhouse.facts(topic, ["event_id"])["event_id"]))
    nothing = inbox.drop_columns(["topic"]).schema.empty_table()
    yield compare_tables(ABOUT, pa.concat_tables([nothing, *acted_on]), pa.concat_tables([nothing, *found]))
