"""The audit's own sums over the real Olist tables agree with the replay's events, whole and in slices."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from audit.registry import COMPARISONS
from audit.replayed_source import replayed, wall_clock
from audit.sources.avro import arrow_schema
from audit.sources.olist import OlistTables, WallClockRange
from producers.feed.events import merge
from producers.importer import journal
from producers.importer.journal import JournalEntry
from schemas.events import all_events
from tests.integration.olist.conftest import OLIST, ZONE
from tests.sent_events import as_read

PAIRS = {
    name: run.__self__
    for name, run in COMPARISONS.items()
    if name.startswith("source_vs_") and name != "source_vs_refunds"  # Olist has none
}

pytestmark = pytest.mark.skipif(not OLIST.is_dir(), reason=f"needs the Olist tables in {OLIST}")


@pytest.fixture(scope="module")
def everything(conversion):
    return events(conversion)


def millis(day):
    return day and int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp() * 1000)


def events(conversion, first=None, end=None):
    """The events of a replay from `first` to before `end`, by name, as the audit reads them.

    The reviews service has published each review.
    """
    sent = {each.name: as_read(each.within(millis(first), millis(end))) for each in conversion.events}
    return sent | {"review_published": as_published(sent["review_submitted"])}


def as_published(submitted):
    """The publication of each review, at the time of its submission."""
    schema = arrow_schema(all_events()["review_published"].schema)
    known = submitted.append_column("submitted_at", submitted["occurred_at"])
    return pa.table(
        [
            known[field.name].cast(field.type)
            if field.name in known.column_names
            else pa.nulls(len(known), field.type)
            for field in schema
        ],
        schema=schema,
    )


def wall_range(first, end):
    return WallClockRange(wall_clock(millis(first), ZONE), wall_clock(millis(end), ZONE))


def compare(source, sent, pairs=PAIRS):
    return {
        name: pair.compare(source, {event: sent[event] for event in pair.events}, ZONE)
        for name, pair in pairs.items()
    }


def test_all_of_olist_agrees_and_has_the_published_totals(everything):
    found = compare(OlistTables(OLIST), everything)

    assert {name: each.verdict for name, each in found.items()} == dict.fromkeys(PAIRS, "agree")
    assert found["source_vs_orders"].rows == 99_441
    assert found["source_vs_sellers"].rows == 3_095
    assert found["source_vs_sales"].totals["units"] == (112_650, 112_650)
    assert found["source_vs_sales"].totals["gross_minor"] == (1_359_164_370, 1_359_164_370)
    assert found["source_vs_sales"].totals["shipping_minor"] == (225_190_954, 225_190_954)
    assert found["source_vs_payments"].totals["amount_minor"] == (1_600_887_212, 1_600_887_212)


@pytest.mark.parametrize(
    ("first", "end"),
    [
        (date(2018, 6, 1), date(2018, 6, 15)),
        (date(2017, 10, 15), date(2017, 10, 16)),  # the first hour of this day is skipped
        (date(2018, 2, 17), date(2018, 2, 18)),  # the last hour of this day is repeated
        (None, date(2016, 10, 5)),
        (date(2018, 8, 28), None),
    ],
)
def test_a_slice_of_olist_agrees(conversion, first, end):
    source = OlistTables(
        OLIST, (WallClockRange(wall_clock(millis(first), ZONE), wall_clock(millis(end), ZONE)),)
    )

    found = compare(source, events(conversion, first, end))

    assert {name: each.difference_count for name, each in found.items()} == dict.fromkeys(PAIRS, 0)
    assert found["source_vs_orders"].rows > 0


@pytest.mark.parametrize("share", [0.03, *(pytest.param(n, marks=pytest.mark.nightly) for n in (0.5, 0.97))])
def test_the_sent_part_of_an_interrupted_replay_agrees(conversion, everything, tmp_path, share):
    timeline = merge(conversion.events)
    position = int(len(timeline) * share)
    reached = timeline.time_of(position)
    entry = JournalEntry(
        data_set="olist", fingerprint="f", cluster="c", timezone=ZONE.key, start_ms=None, end_ms=None,
        directory=str(OLIST), total=len(timeline), position=position, counts={}, totals={}, report="",
        started_at="", reached_ms=reached,
    )  # fmt: skip
    journal.directory_of(tmp_path).mkdir()
    journal.write(tmp_path, entry)
    unacknowledged_to = pa.scalar(reached + 6 * 3_600_000).cast(pa.timestamp("ms", "UTC"))
    came = {
        name: sent.filter(pc.less(sent["occurred_at"], unacknowledged_to))
        for name, sent in everything.items()
    }

    found = compare(replayed(tmp_path, None, ZONE), came)

    assert {name: each.difference_count for name, each in found.items()} == dict.fromkeys(PAIRS, 0)
    assert found["source_vs_orders"].rows > 0


def test_two_replayed_slices_are_audited_as_one_source(conversion):
    early, late = (date(2018, 6, 1), date(2018, 6, 3)), (date(2018, 6, 20), date(2018, 6, 22))
    both = [events(conversion, *each) for each in (early, late)]
    sent = {}
    for name in both[0]:
        seen = {row["event_id"]: row for part in both for row in part[name].to_pylist()}
        sent[name] = pa.Table.from_pylist(list(seen.values()), both[0][name].schema)
    ranges = tuple(
        WallClockRange(wall_clock(millis(first), ZONE), wall_clock(millis(end), ZONE))
        for first, end in (early, late)
    )

    found = compare(OlistTables(OLIST, ranges), sent)

    assert {name: each.difference_count for name, each in found.items()} == dict.fromkeys(PAIRS, 0)


@pytest.mark.parametrize("name", ["review_submitted", "review_published"])
def test_one_of_all_reviews_that_is_missing_is_found(everything, name):
    missing = everything | {name: everything[name].slice(1)}

    found = compare(OlistTables(OLIST), missing, {"source_vs_reviews": PAIRS["source_vs_reviews"]})

    keys = [difference.key for difference in found["source_vs_reviews"].differences]
    assert {key["order_id"] for key in keys} == {everything[name]["order_id"][0].as_py()}


def test_one_cent_in_one_of_all_payments_is_found(everything):
    paid = everything["payment_captured"]
    amounts = paid["amount_minor"].to_pylist()
    amounts[50_000] += 1
    at = paid.schema.get_field_index("amount_minor")
    wrong = everything | {
        "payment_captured": paid.set_column(at, "amount_minor", pa.array(amounts, pa.int64()))
    }
    name = "source_vs_payments"

    found = compare(OlistTables(OLIST), wrong, {name: PAIRS[name]})

    [difference] = found[name].differences
    assert difference.key == {"order_id": paid["order_id"][50_000].as_py()}
    assert difference.right - difference.left == 1
