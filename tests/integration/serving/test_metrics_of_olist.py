"""Every metric of all of Olist, of every seller and every part of the time, equals the reference."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from audit.comparisons import facts_vs_marketplace_metrics, facts_vs_seller_metrics, facts_vs_served_metrics
from audit.reference.domains import FAMILIES
from audit.stores import Stores
from clickhouse.client import connect
from common.settings import ROOT, Settings
from producers.feed.events import Events
from producers.importer.olist import convert
from tests.integration.metric_tables import emptied
from tests.integration.serving.shop_audit import restored, stores_of

OLIST = Path(os.environ.get("SOUK_TEST_DATA") or ROOT.parent / "shared" / "data") / "olist"
BATCH = 20_000

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(not OLIST.is_dir(), reason=f"needs the Olist tables in {OLIST} (SOUK_TEST_DATA)"),
]


@pytest.fixture(scope="module")
def stores(shop: Settings) -> Iterator[Stores]:
    """All of Olist in the database of the API."""
    with restored(shop):
        emptied(shop)
        with connect(shop, admin=True) as client:
            for events in convert(OLIST, shop.timezone).events:
                lines = [orjson.dumps(row) for row in rows(events)]
                for first in range(0, len(lines), BATCH):
                    block = b"\n".join(lines[first : first + BATCH])
                    client.raw_insert(events.name, insert_block=block, fmt="JSONEachRow")
        with connect(shop) as client:
            yield stores_of(shop, client)


def rows(events: Events) -> Iterator[dict[str, object]]:
    """Yield events as rows of their table; times are Unix seconds."""
    names = [*events.columns]
    for event_id, at_ms, *values in zip(
        events.ids(), events.occurred_at.tolist(), *events.columns.values(), strict=True
    ):
        row = {
            name: value / 1000 if name.endswith("_at") and value is not None else value
            for name, value in zip(names, values, strict=True)
        }
        yield {**row, "event_id": event_id, "occurred_at": at_ms / 1000}


def test_every_metric_of_every_seller_and_of_the_marketplace_is_as_the_facts_say(stores: Stores) -> None:
    for compare in (facts_vs_seller_metrics.run, facts_vs_marketplace_metrics.run):
        domains = set()
        for each in compare(stores):
            started, used = time.monotonic(), time.process_time()
            found = each.compare()
            took = f"{time.monotonic() - started:.1f} s, {time.process_time() - used:.1f} s of CPU here"
            print(found.spec.what, f"{found.rows:,} rows, {found.figures:,} figures,", took)
            assert found.differences == ()
            domains.add(found.spec.what.partition(" ")[0])
        assert domains == FAMILIES.keys()


def test_what_people_get_is_as_the_facts_say(stores: Stores) -> None:
    comparisons = list(facts_vs_served_metrics.run(stores))
    assert {each.spec.right for each in comparisons} == {"API", "CSV", "Parquet", "page"}
    for each in comparisons:
        started, used = time.monotonic(), time.process_time()
        found = each.compare()
        took = f"{time.monotonic() - started:.1f} s, {time.process_time() - used:.1f} s of CPU here"
        print(found.spec.right, found.spec.what, f"{found.rows:,} rows, {found.figures:,} figures,", took)
        assert found.differences == ()
        assert found.rows
