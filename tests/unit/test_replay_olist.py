"""Events of Olist's tables, with every known irregularity of the data in tables of a few rows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.clock import from_millis, to_millis
from common.errors import UserError
from producers.feed.events import Events, merge
from producers.importer.dataset import Conversion
from producers.importer.olist import convert
from schemas.codec import Encoder
from schemas.events import all_events

Rows = dict[str, list[dict[str, Any]]]
Write = Callable[..., Path]
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.fixture
def converted(write_olist: Write) -> Callable[..., Conversion]:
    def run(tables: Rows, parquet: bool = False) -> Conversion:
        return convert(write_olist(tables, parquet), SAO_PAULO)

    return run


def of(conversion: Conversion, name: str) -> list[dict[str, Any]]:
    """The records of one event."""
    events = next(events for events in conversion.events if events.name == name)
    return rows(events)


def rows(events: Events) -> list[dict[str, Any]]:
    return [
        {"occurred_at": from_millis(at)} | dict(zip(events.columns, values, strict=True))
        for at, *values in zip(events.occurred_at.tolist(), *events.columns.values(), strict=True)
    ]


def order(tables: Rows, order_id: str) -> dict[str, Any]:
    return next(row for row in tables["orders"] if row["order_id"] == order_id)


def rejected(conversion: Conversion) -> set[tuple[str, str, str]]:
    return {(row.table, row.key, row.reason) for row in conversion.findings.unusable}


@pytest.mark.parametrize("parquet", [False, True], ids=["csv", "parquet"])
def test_every_table_becomes_events_that_fit_their_schemas(
    small_olist: Rows, converted: Callable[..., Conversion], parquet: bool
) -> None:
    conversion = converted(small_olist, parquet)

    assert {events.name: len(events) for events in conversion.events} == {
        "seller_registered": 2, "shopper_registered": 2, "product_listed": 3, "order_placed": 2,
        "payment_captured": 3, "order_confirmed": 1, "order_shipped": 1, "order_delivered": 1,
        "order_cancelled": 0, "review_submitted": 1,
    }  # fmt: skip
    for events in conversion.events:
        encoder = Encoder(all_events()[events.name], 1)
        for event_id, row in zip(events.ids(), rows(events), strict=True):
            assert encoder.encode({"event_id": event_id} | row)
    assert not conversion.findings.unusable


def test_csv_and_parquet_of_the_same_rows_give_the_same_events(small_olist: Rows, write_olist: Write) -> None:
    as_csv = convert(write_olist(small_olist, into="csv"), SAO_PAULO)
    as_parquet = convert(write_olist(small_olist, parquet=True, into="parquet"), SAO_PAULO)

    for left, right in zip(as_csv.events, as_parquet.events, strict=True):
        assert list(left.ids()) == list(right.ids())
        assert rows(left) == rows(right)


def test_repeated_items_are_one_line_of_that_quantity_and_their_freight_adds_up(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    first = small_olist["order_items"][0]
    small_olist["order_items"] += [
        first | {"order_item_id": 2, "freight_value": 0.01},
        first | {"order_item_id": 3, "price": 30.0},
    ]

    placed = of(converted(small_olist), "order_placed")[0]

    assert [(line["line_number"], line["quantity"], line["unit_price_minor"], line["shipping_minor"])
            for line in placed["lines"]] == [(1, 2, 2999, 873), (2, 1, 3000, 872)]  # fmt: skip


def test_wall_clock_times_become_utc_with_and_without_summer_time(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    order(small_olist, "b")["order_purchase_timestamp"] = "2017-12-25 10:00:00"

    first, second = of(converted(small_olist), "order_placed")

    assert first["occurred_at"] == datetime(2017, 10, 2, 13, 56, 33, tzinfo=UTC)
    assert second["occurred_at"] == datetime(2017, 12, 25, 12, tzinfo=UTC)


def test_the_hour_that_never_was_and_the_hour_that_was_twice_are_read_as_fold_zero(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    order(small_olist, "a")["order_purchase_timestamp"] = "2017-10-15 00:30:00"  # clocks go 00:00 → 01:00
    order(small_olist, "b")["order_purchase_timestamp"] = "2018-02-17 23:30:00"  # clocks go 00:00 → 23:00

    skipped, twice = of(converted(small_olist), "order_placed")

    assert skipped["occurred_at"] == datetime(2017, 10, 15, 3, 30, tzinfo=UTC)
    assert twice["occurred_at"] == datetime(2018, 2, 18, 1, 30, tzinfo=UTC)


def test_an_order_without_items_is_placed_without_lines_and_can_not_be_shipped(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    small_olist["order_items"] = [row for row in small_olist["order_items"] if row["order_id"] == "b"]

    conversion = converted(small_olist)

    assert of(conversion, "order_placed")[0]["lines"] == []
    assert of(conversion, "order_shipped") == of(conversion, "order_delivered") == []
    assert {(table, key) for table, key, _ in rejected(conversion)} == {("orders", "a")}


def test_each_seller_of_an_order_has_a_shipment_of_its_own(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    order(small_olist, "b")["order_delivered_carrier_date"] = "2017-10-06 09:00:00"

    shipped = [row for row in of(converted(small_olist), "order_shipped") if row["order_id"] == "b"]

    assert [(row["shipment_id"], row["seller_id"]) for row in shipped] == [("b-1", "s1"), ("b-2", "s2")]


def test_times_out_of_order_are_sent_as_recorded_and_counted(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    order(small_olist, "a")["order_delivered_carrier_date"] = "2017-10-01 00:00:00"

    conversion = converted(small_olist)

    assert of(conversion, "order_shipped")[0]["occurred_at"] == datetime(2017, 10, 1, 3, tzinfo=UTC)
    assert "1 orders with carrier before purchase: sent as recorded" in conversion.findings.notes


@pytest.mark.parametrize(("status", "reason"), [("canceled", "unknown"), ("unavailable", "out_of_stock")])
def test_a_cancellation_is_drawn_after_all_that_is_recorded_and_always_the_same(
    small_olist: Rows, write_olist: Write, status: str, reason: str
) -> None:
    order(small_olist, "a")["order_status"] = status
    directory = write_olist(small_olist)

    first, again = (of(convert(directory, SAO_PAULO), "order_cancelled") for _ in range(2))

    delivered = datetime(2017, 10, 11, 0, 25, 13, tzinfo=UTC)
    assert first == again
    assert first[0]["reason"] == reason
    assert timedelta(hours=1) <= first[0]["occurred_at"] - delivered <= timedelta(hours=72)
    assert first[0]["lines"][0]["unit_price_minor"] == 2999


def test_a_confirmation_has_the_purchase_and_the_lines_of_its_order(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    conversion = converted(small_olist)

    placed = {row["order_id"]: row for row in of(conversion, "order_placed")}
    (confirmed,) = of(conversion, "order_confirmed")
    assert confirmed["placed_at"] == to_millis(placed["a"]["occurred_at"])
    assert confirmed["currency"] == placed["a"]["currency"] == "BRL"
    assert confirmed["lines"] == placed["a"]["lines"] != []


def test_a_cancellation_has_the_time_of_the_confirmation_if_there_was_one(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    for order_id in ("a", "b"):
        order(small_olist, order_id)["order_status"] = "canceled"

    conversion = converted(small_olist)

    (confirmed,) = of(conversion, "order_confirmed")
    assert confirmed["order_id"] == "a"
    assert {row["order_id"]: row["confirmed_at"] for row in of(conversion, "order_cancelled")} == {
        "a": to_millis(confirmed["occurred_at"]), "b": None,
    }  # fmt: skip


def test_every_payment_row_is_captured_when_approved_or_else_at_the_purchase(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    small_olist["order_payments"][1] |= {"payment_type": "not_defined", "payment_value": 0.0}

    payments = of(converted(small_olist), "payment_captured")

    assert [
        (row["payment_id"], row["method"], row["amount_minor"], row["occurred_at"]) for row in payments
    ] == [
        ("a-1", "credit_card", 3000, datetime(2017, 10, 2, 14, 7, 15, tzinfo=UTC)),
        ("a-2", "unknown", 0, datetime(2017, 10, 2, 14, 7, 15, tzinfo=UTC)),
        ("b-1", "boleto", 14746, datetime(2017, 10, 5, 11, tzinfo=UTC)),
    ]


def test_a_product_of_two_sellers_is_listed_by_each_at_its_first_sale(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    small_olist["order_items"][2]["product_id"] = "p1"

    listed = of(converted(small_olist), "product_listed")

    assert [(row["product_id"], row["seller_id"], row["price_minor"]) for row in listed] == [
        ("p1", "s1", 2999), ("p1", "s2", 85), ("p3", "s2", 10010),
    ]  # fmt: skip


def test_categories_are_translated_where_a_translation_is_there(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    conversion = converted(small_olist)

    assert [row["category"] for row in of(conversion, "product_listed")] == [
        "health_beauty",
        "pc_gamer",
        None,
    ]
    assert "1 categories have no translation: pc_gamer" in conversion.findings.notes


def test_a_person_with_two_orders_registers_once_at_the_first_with_that_address(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    small_olist["customers"][1]["customer_unique_id"] = "ana"

    (shopper,) = of(converted(small_olist), "shopper_registered")

    assert (shopper["shopper_id"], shopper["zip_prefix"]) == ("ana", "01310")
    assert shopper["occurred_at"] == datetime(2017, 10, 2, 13, 56, 33, tzinfo=UTC)


def test_reviews_without_ids_and_times_are_completed_from_the_order_and_disagreements_named(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    small_olist["order_reviews_head"] = small_olist.pop("order_reviews")
    small_olist["order_review_scores"] = [
        {"order_id": "a", "review_score": 1},
        {"order_id": "b", "review_score": 5},
    ]

    conversion = converted(small_olist)

    whole, drawn = of(conversion, "review_submitted")
    assert (whole["review_id"], whole["score"], whole["comment"]) == ("r1", 4, 'ok,\n"bom"')
    assert (whole["line_number"], whole["product_id"], whole["seller_id"]) == (1, "p1", "s1")
    assert (drawn["review_id"], drawn["score"], drawn["product_id"]) == ("review-b", 5, None)
    assert drawn["line_number"] is None
    assert drawn["occurred_at"] > datetime(2017, 10, 19, 2, tzinfo=UTC)
    assert {(table, key) for table, key, _ in rejected(conversion)} == {("order_review_scores", "a")}


@pytest.mark.parametrize(
    ("table", "row", "change", "key", "reason"),
    [
        ("order_items", 0, {"price": -1.0}, "a 1", "price is negative or has a fraction of a cent"),
        ("order_items", 0, {"freight_value": 1.005}, "a 1",
         "freight_value is negative or has a fraction of a cent"),
        ("order_items", 0, {"price": "29,99"}, "a 1", "price is not a number"),
        ("order_items", 0, {"price": "nan"}, "a 1", "price is negative or has a fraction of a cent"),
        ("order_items", 0, {"seller_id": "nobody"}, "a 1", "seller_id is not in sellers"),
        ("order_items", 0, {"product_id": "nothing"}, "a 1", "product_id is not in products"),
        ("order_items", 0, {"order_id": "zz"}, "zz 1", "order_id is not in the usable orders"),
        ("order_items", 2, {"order_item_id": 1}, "b 1",
         "repeats the order_id and order_item_id of an earlier row"),
        ("order_payments", 2, {"payment_type": "shells"}, "b 1", "payment_type is not one of Olist's"),
        ("order_payments", 2, {"payment_value": None}, "b 1", "payment_value is empty"),
        ("order_payments", 2, {"order_id": "zz"}, "zz 1", "order_id is not in the usable orders"),
        ("orders", 1, {"order_purchase_timestamp": "2017-02-30 00:00:00"}, "b",
         "order_purchase_timestamp is not a time such as 2017-10-02 10:56:33"),
        ("orders", 0, {"order_approved_at": "yesterday"}, "a",
         "order_approved_at is not a time such as 2017-10-02 10:56:33"),
        ("orders", 1, {"customer_id": "cz"}, "b", "customer_id is not in customers"),
        ("orders", 1, {"order_status": "lost"}, "b", "order_status is not one of Olist's"),
        ("order_reviews", 0, {"review_score": 9}, "r1 a", "review_score is not 1 to 5"),
        ("sellers", 1, {"seller_id": "s1"}, "s1", "repeats the seller_id of an earlier row"),
    ],
)  # fmt: skip
def test_a_row_that_can_not_be_used_is_named_with_the_reason_and_the_rest_goes_on(
    small_olist: Rows,
    converted: Callable[..., Conversion],
    table: str,
    row: int,
    change: dict[str, Any],
    key: str,
    reason: str,
) -> None:
    small_olist[table][row] |= change

    conversion = converted(small_olist)

    assert (table, key, reason) in rejected(conversion)
    assert len(of(conversion, "order_placed")) >= 1


def test_a_missing_directory_or_table_is_one_clear_line(small_olist: Rows, write_olist: Write) -> None:
    with pytest.raises(UserError, match="is not a directory"):
        convert(Path("nowhere"), SAO_PAULO)
    del small_olist["sellers"]
    with pytest.raises(UserError, match=r"lacks sellers\.parquet \(or olist_sellers_dataset\.csv\)"):
        convert(write_olist(small_olist), SAO_PAULO)


def test_a_truncated_table_is_one_clear_line(small_olist: Rows, write_olist: Write) -> None:
    for parquet, name in ((True, "orders.parquet"), (False, "olist_orders_dataset.csv")):
        for cut in (3, 25, 90):
            directory = write_olist(small_olist, parquet, into=f"{name} {cut}")
            whole = (directory / name).read_bytes()
            (directory / name).write_bytes(whole[:-cut])
            with pytest.raises(UserError, match=rf"{name} can't be read, it may be truncated"):
                convert(directory, SAO_PAULO)


def test_a_csv_row_with_columns_missing_is_one_clear_line(small_olist: Rows, write_olist: Write) -> None:
    directory = write_olist(small_olist)
    with (directory / "olist_orders_dataset.csv").open("a") as file:
        file.write("c,cc,crea\n")

    with pytest.raises(UserError, match=r"olist_orders_dataset\.csv can't be read.*columns"):
        convert(directory, SAO_PAULO)


def test_a_foreign_table_is_one_clear_line(small_olist: Rows, write_olist: Write) -> None:
    small_olist["orders"] = [{"movie": 1, "rating": 5}]

    with pytest.raises(UserError, match=r"is not the table orders: it lacks the column order_id"):
        convert(write_olist(small_olist), SAO_PAULO)


def test_a_table_without_rows_gives_no_events_of_its_kind(small_olist: Rows, write_olist: Write) -> None:
    directory = write_olist(small_olist)
    for name in ("olist_order_reviews_dataset", "olist_order_payments_dataset", "olist_order_items_dataset"):
        path = directory / f"{name}.csv"
        path.write_text(path.read_text().splitlines()[0] + "\n")

    counts = merge(convert(directory, SAO_PAULO).events).counts()

    assert counts["order_placed"] == 2
    assert counts["payment_captured"] == counts["review_submitted"] == counts["seller_registered"] == 0


def test_events_come_in_event_time_order_and_who_is_named_comes_before(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    timeline = merge(converted(small_olist).events)

    names = [timeline.events[which].name for which in timeline.which.tolist()]
    assert timeline.due_at.tolist() == sorted(timeline.due_at.tolist())
    assert names[:4] == ["seller_registered", "shopper_registered", "product_listed", "order_placed"]


def test_a_window_holds_its_events_and_who_they_name_from_before(
    small_olist: Rows, converted: Callable[..., Conversion]
) -> None:
    start = round(datetime(2017, 10, 5, tzinfo=UTC).timestamp() * 1000)
    end = round(datetime(2017, 10, 6, tzinfo=UTC).timestamp() * 1000)

    timeline = merge([events.within(start, end) for events in converted(small_olist).events])

    assert {name: count for name, count in timeline.counts().items() if count} == {
        "seller_registered": 2, "shopper_registered": 1, "product_listed": 3, "order_placed": 1,
        "payment_captured": 1,
    }  # fmt: skip
