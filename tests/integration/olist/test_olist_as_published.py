"""The events of the real Olist tables, if they are available, give the published figures."""

import pytest

from producers.feed.events import Timeline, merge
from producers.importer.dataset import Conversion
from producers.importer.report import compute_totals
from tests.integration.olist.conftest import OLIST

pytestmark = pytest.mark.skipif(
    not OLIST.is_dir(), reason=f"needs the Olist tables in {OLIST} (SOUK_TEST_DATA)"
)


@pytest.fixture(scope="module")
def timeline(conversion: Conversion) -> Timeline:
    return merge(conversion.events)


def test_the_published_totals_come_out_to_the_cent(timeline: Timeline) -> None:
    totals = compute_totals(timeline)

    assert totals["orders"] == 99_441
    assert totals["units"] == 112_650
    assert totals["lines"] == 112_650 - 10_225
    assert totals["gross_minor"] == 1_359_164_370
    assert totals["shipping_minor"] == 225_190_954
    assert totals["payments"] == 103_886
    assert totals["payments_minor"] == 1_600_887_212


def test_every_seller_shopper_and_order_is_there(timeline: Timeline) -> None:
    counts = timeline.counts()

    assert counts["seller_registered"] == 3_095
    assert counts["shopper_registered"] == 96_096
    assert counts["order_confirmed"] == 99_281 + 14
    assert counts["order_cancelled"] == 625 + 609
    assert counts["review_submitted"] >= 97_597


def test_the_known_oddities_are_counted_in_the_report(conversion: Conversion) -> None:
    notes = "\n".join(conversion.findings.notes)

    for said in (
        "10,225 order_items repeat product, seller and price",
        "775 orders have no items",
        "1,359 orders with carrier before approval",
        "166 orders with carrier before purchase",
        "23 orders with delivery before carrier",
        "14 orders proceeded without approval time: confirmed at the purchase",
        "1,234 cancellations have no recorded time",
    ):
        assert said in notes


def test_no_two_events_share_an_id(timeline: Timeline) -> None:
    ids = [event_id for events in timeline.events for event_id in events.ids()]

    assert len(set(ids)) == len(ids)
