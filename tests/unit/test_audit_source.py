"""The audit computes the source's figures itself, and finds missing, duplicate and wrong events."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from audit.comparisons.source_vs_events import COMPARISONS
from audit.replayed_source import replayed, wall_clock
from audit.sources.avro import arrow_schema
from audit.sources.olist import OlistTables, WallClockRange, cents
from audit.stores import Stores
from producers.importer import journal
from producers.importer.journal import JournalEntry
from schemas.events import all_events

ZONE = ZoneInfo("America/Sao_Paulo")
TABLES = {
    "olist_customers_dataset": """\
customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state
c1,ana,14409,franca,SP
c2,bia,09790,sao bernardo do campo,SP
""",
    "olist_orders_dataset": """\
order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,\
order_delivered_customer_date,order_estimated_delivery_date
o1,c1,delivered,2018-06-01 23:30:00,2018-06-02 00:10:00,2018-06-03 08:00:00,2018-06-09 12:00:00,2018-06-20
o2,c2,unavailable,2018-06-20 10:00:00,,,,2018-07-01
""",
    "olist_order_items_dataset": """\
order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value
o1,1,p1,s1,2018-06-05 00:00:00,58.90,13.29
o1,2,p1,s1,2018-06-05 00:00:00,58.90,13.29
o1,3,p2,s2,2018-06-05 00:00:00,0.85,0.00
""",
    "olist_order_payments_dataset": """\
order_id,payment_sequential,payment_type,payment_installments,payment_value
o1,1,credit_card,1,100.00
o1,2,voucher,1,45.23
o2,1,boleto,1,10.00
""",
    "olist_products_dataset": """\
product_id,product_category_name,product_photos_qty,product_weight_g,product_length_cm,product_height_cm,product_width_cm
p1,perfumaria,1,225,16,10,14
p2,artes,1,1000,30,18,20
""",
    "olist_sellers_dataset": """\
seller_id,seller_zip_code_prefix,seller_city,seller_state
s1,13023,campinas,SP
s2,13844,mogi guacu,SP
s3,20031,rio de janeiro,RJ
""",
    "product_category_name_translation": """\
product_category_name,product_category_name_english
perfumaria,perfumery
""",
}


@pytest.fixture
def source(tmp_path):
    for name, text in TABLES.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return OlistTables(tmp_path)


def placed(lines=None, order_id="o1"):
    """The event of order o1 as a right replay sends it: two equal items are one line of two units."""
    right = [line("p1", "s1", 2, 5_890, 2_658), line("p2", "s2", 1, 85, 0)]
    return {
        "event_id": f"e-{order_id}",
        "occurred_at": datetime(2018, 6, 2, 2, 30, tzinfo=UTC),
        "order_id": order_id,
        "shopper_id": "ana",
        "currency": "BRL",
        "lines": right if lines is None else lines,
        "estimated_delivery_at": None,
    }


def line(product_id, seller_id, quantity, unit_price_minor, shipping_minor):
    return {
        "line_number": 1,
        "product_id": product_id,
        "seller_id": seller_id,
        "quantity": quantity,
        "unit_price_minor": unit_price_minor,
        "discount_minor": 0,
        "shipping_minor": shipping_minor,
        "tax_minor": 0,
        "commission_bp": 0,
    }


def midnight(year, month, day):
    return int(datetime(year, month, day, tzinfo=ZONE).timestamp() * 1000)


def events(name, *rows):
    return {name: pa.Table.from_pylist(list(rows), arrow_schema(all_events()[name].schema))}


def compare(name, source, found):
    return COMPARISONS[f"source_vs_{name}"].compare(source, found, ZONE)


def test_repeated_items_are_units_and_the_day_is_the_shops(source):
    found = compare("sales", source, events("order_placed", placed()))

    assert found.verdict == "agree"
    assert found.rows == 2
    assert found.totals["units"] == (3, 3)
    assert found.totals["gross_minor"] == (11_865, 11_865)


def test_a_cent_too_much_is_found_at_its_seller_and_day(source):
    wrong = [line("p1", "s1", 2, 5_890, 2_659), line("p2", "s2", 1, 85, 0)]

    found = compare("sales", source, events("order_placed", placed(wrong)))

    [difference] = found.differences
    assert difference.key == {"seller_id": "s1", "day": "2018-06-01"}
    assert (difference.field, difference.left, difference.right) == ("shipping_minor", 2_658, 2_659)


def test_a_line_that_went_to_another_seller_is_found(source):
    swapped = [line("p1", "s2", 2, 5_890, 2_658), line("p2", "s1", 1, 85, 0)]

    assert compare("sales", source, events("order_placed", placed(swapped))).verdict == "differ"


def test_an_order_without_items_must_have_its_event_too(source):
    found = compare("orders", source, events("order_placed", placed()))

    [difference] = found.differences
    assert difference.key == {"order_id": "o2"}
    assert (difference.left, difference.right) == (1, 0)


def test_an_order_sent_twice_under_two_event_ids_is_found(source):
    twice = events("order_placed", placed(), {**placed(), "event_id": "another"})

    assert compare("sales", source, twice).verdict == "differ"
    assert compare("orders", source, twice).verdict == "differ"


def test_events_of_another_producer_are_left_out_and_counted(source):
    found = compare("sales", source, events("order_placed", placed(), placed(order_id="live")))

    assert found.verdict == "agree"
    assert found.notes == ("1 events are not from the source",)


def test_payments_of_chosen_days_count_by_their_approval(source):
    chosen = OlistTables(
        source.directory,
        (WallClockRange(wall_clock(midnight(2018, 6, 2), ZONE), wall_clock(midnight(2018, 6, 3), ZONE)),),
    )

    found = compare("payments", chosen, events("payment_captured"))

    [difference] = found.differences
    assert difference.key == {"order_id": "o1"}


def test_only_sellers_who_sold_must_be_registered(source):
    row = {"event_id": "e", "occurred_at": datetime(2018, 6, 2, tzinfo=UTC), "name": None, "zip_prefix": None,
           "state": "SP", "country": "BR"}  # fmt: skip
    both = events(
        "seller_registered",
        {**row, "seller_id": "s1", "city": "campinas"},
        {**row, "event_id": "f", "seller_id": "s2", "city": "mogi guacu"},
    )

    assert compare("sellers", source, both).verdict == "agree"


def test_amounts_with_a_fraction_of_a_cent_are_refused():
    with pytest.raises(ValueError, match="fraction of a cent"):
        cents(pa.chunked_array([[58.905]]))


def test_a_range_that_starts_at_a_skipped_midnight_includes_the_skipped_times():
    skipped = midnight(2017, 10, 15)

    assert wall_clock(skipped, ZONE).isoformat() == "2017-10-15T00:00:00"
    assert wall_clock(None, ZONE) is None


def test_without_a_journal_only_a_named_directory_is_a_source(tmp_path):
    assert replayed(tmp_path, None, ZONE) is None
    assert replayed(tmp_path, tmp_path, ZONE).whole


def replay(directory, position=0, reached=None, **changes):
    """The journal's entry of a replay of ten events in June 2018."""
    entry = {
        "data_set": "olist", "fingerprint": directory.name, "cluster": "c", "timezone": ZONE.key,
        "start_ms": midnight(2018, 6, 1), "end_ms": midnight(2018, 7, 1), "directory": str(directory),
        "total": 10, "position": position, "counts": {}, "totals": {}, "report": "r", "started_at": "",
        "reached_ms": reached and int(reached.timestamp() * 1000),
    }  # fmt: skip
    return JournalEntry(**entry | changes)


def audited(home, *entries, directory=None):
    journal.directory_of(home).mkdir()
    for entry in entries:
        journal.write(home, entry)
    return replayed(home, directory, ZONE)


O2_AT = datetime(2018, 6, 20, 13, tzinfo=UTC)
O2 = placed([], "o2") | {"occurred_at": O2_AT, "shopper_id": "bia"}


@pytest.mark.parametrize("came", [[], [O2]])
def test_of_an_interrupted_replay_only_the_sent_part_is_compared(tmp_path, source, came):
    broken_off = audited(tmp_path, replay(source.directory, 4, O2_AT))

    found = compare("orders", broken_off, events("order_placed", placed(), *came))

    assert (found.verdict, found.rows) == ("agree", 1)
    assert found.notes == (
        "the replay was interrupted after 4 of 10 events, and only what occurred before 2018-06-20 10:00:00 "
        f"is compared: `./souk replay olist {source.directory} --from 2018-06-01T00:00:00-03:00 "
        "--to 2018-07-01T00:00:00-03:00` sends the rest",
    )


def test_a_complete_replay_is_compared_although_another_was_interrupted(tmp_path, source):
    every = replay(source.directory, 1, O2_AT, start_ms=None, end_ms=None)
    both = audited(tmp_path, replay(source.directory, 10), every)

    missing = compare("orders", both, events("order_placed", placed()))
    there = compare("orders", both, events("order_placed", placed(), O2))

    assert [one.key for one in missing.differences] == [{"order_id": "o2"}]
    assert (there.verdict, there.rows) == ("agree", 2)


def test_a_named_directory_is_audited_by_its_own_replays(tmp_path, source):
    other = replay(tmp_path / "other", 1, O2_AT)

    named = audited(tmp_path, replay(source.directory, 10), other, directory=source.directory)

    assert named.notes == ()
    assert replayed(tmp_path, None, ZONE).notes


def test_missing_replayed_tables_are_reported_as_not_compared(tmp_path):
    gone = audited(tmp_path, replay(tmp_path / "gone", 10))
    stores = Stores(gone, None, None, None, None, None, ZONE, "BRL")

    [found] = COMPARISONS["source_vs_orders"].run(stores)

    assert found.verdict == "not compared"
    assert f"{tmp_path}/gone is not a directory" in found.unread
    assert "--source" in found.unread


def reviewed(score, event_id="e1"):
    """A review of order o1, or its publication."""
    subject = {"order_id": "o1", "review_id": "r1", "shopper_id": "ana"}
    return {"event_id": event_id, "occurred_at": datetime(2018, 6, 12, tzinfo=UTC), "score": score} | subject


@pytest.mark.parametrize(
    ("submitted", "published", "fields"),
    [
        ([reviewed(4)], [reviewed(4)], set()),
        ([reviewed(4)], [reviewed(4), reviewed(4, "after a rejection")], set()),
        ([reviewed(4)], [], {"published", "published_scores"}),
        ([reviewed(4)], [reviewed(5)], {"published_scores"}),
        ([], [reviewed(4)], {"reviews", "scores"}),
    ],
)
def test_reviews_that_were_not_published_as_they_came_are_found(source, submitted, published, fields):
    (source.directory / "olist_order_reviews_dataset.csv").write_text(
        "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,"
        "review_answer_timestamp\nr1,o1,4,,,2018-06-10 00:00:00,2018-06-11 20:00:00\n"
    )
    found = events("review_submitted", *submitted) | events("review_published", *published)

    result = compare("reviews", source, found)

    assert {each.field for each in result.differences} == fields
    assert result.rows == 1
