"""A slice of the real Olist tables is replayed up to the API, and all stores agree to the cent."""

import os
import signal
import struct
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer

from audit.sources.kafka import KafkaTopics
from clickhouse.client import connect
from local import passwords
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from tests.e2e.conftest import AUDITED, SERVED, SLICE
from tests.integration.metric_tables import writable
from tests.principals import bearer

pytestmark = pytest.mark.timeout(3_600)


@pytest.fixture(scope="module")
def settings(platform):
    return platform.started_settings()


@pytest.fixture(scope="module")
def clickhouse(settings):
    with connect(settings, admin=True) as client:
        yield client


@pytest.fixture(scope="module")
def kafka(settings):
    return KafkaTopics(settings.kafka, lambda *_: None)


def produce(settings, topic, *values):
    producer = Producer({"bootstrap.servers": settings.kafka})
    for value in values:
        producer.produce(topic, value, key=b"test")
    assert producer.flush(30) == 0


def encoded(settings, name, record):
    event = all_events()[name]
    with SchemaRegistry(settings.registry) as registry:
        return Encoder(event, registry.register(event.subject, event.text)).encode(record)


def confirmation(event_id):
    return {
        "event_id": event_id,
        "occurred_at": datetime.now(UTC),
        "order_id": f"order-{event_id}",
        "shopper_id": "somebody",
    }


def alert(event_id):
    return {
        "event_id": event_id,
        "occurred_at": datetime.now(UTC),
        "alert_id": event_id,
        "name": "test",
        "severity": "info",
        "status": "firing",
        "part": "tests",
        "message": "an alert of a test",
        "value": None,
        "threshold": None,
        "labels": {"test": "yes"},
    }


def rows_with(clickhouse, table, event_id):
    query = "SELECT count() FROM {table:Identifier} FINAL WHERE event_id = {event_id:String}"
    return clickhouse.query(query, parameters={"table": table, "event_id": event_id}).first_row[0]


def letters_with(kafka, topic, value):
    return [letter for letter in kafka.dead_letters(topic) if letter.value == value]


def test_every_store_agrees_on_a_replayed_slice(first_audit):
    found = first_audit

    assert [each for each in found["comparisons"] if each["difference_count"]] == []
    assert found["exit_code"] == 0
    assert {each["name"] for each in found["comparisons"]} == set(AUDITED)
    compared = {each["name"] for each in found["comparisons"] if each["verdict"] == "agree"}
    nobody_bought = (
        "service_db_", "orders_", "reservations_", "payments_", "returns_", "facts_vs_recommendations"
    )  # fmt: skip
    nothing_there = {"dead_letters", "source_vs_refunds"}  # Olist has no refunds
    nothing_there |= {"facts_vs_signals", "facts_vs_seller_products"}  # nor views, nor stock
    empty = {name for name in AUDITED if not name.startswith(nobody_bought)} - compared
    assert empty <= nothing_there


@pytest.mark.nightly  # test_metric_domains.py compares the same forms of a small shop in each run
def test_every_metric_of_the_slice_is_served_as_the_facts_say_in_each_form(olist_slice):
    found = olist_slice.audit(f"--only={SERVED}")

    assert {each["verdict"] for each in found["comparisons"]} == {"agree"}


@pytest.mark.nightly
def test_replaying_again_changes_no_figure(first_audit, olist_slice, olist):
    stores = [name for name in AUDITED if name != "facts_vs_seller_api"]
    before = [each for each in first_audit["comparisons"] if each["name"] in stores]

    olist_slice.souk("replay", "olist", str(olist), "--from", SLICE[0], "--to", SLICE[1], "--restart")
    after = olist_slice.audit(*(f"--only={name}" for name in stores))

    assert after["differences"] == 0
    assert [each["totals"] for each in after["comparisons"]] == [each["totals"] for each in before]
    repeats = [note for each in after["comparisons"] for note in each["notes"] if "repeat an event" in note]
    assert repeats


WENT_ON = {"delivered", "shipped", "invoiced", "processing", "approved"}


def recomputed_sales(olist, begin, end, without=()):
    """Return seller → month → cents, summed from the tables alone, without months without sales.

    Counts the orders that were placed and confirmed between `begin` and `end`, except those whose status is
    in `without`. An order without a recorded approval that went on was confirmed when it was placed.
    """
    months = {}
    for order in pq.read_table(olist / "orders.parquet").to_pylist():
        placed = order["order_purchase_timestamp"]
        confirmed = order["order_approved_at"] or (placed if order["order_status"] in WENT_ON else None)
        if confirmed and begin <= placed < end and confirmed < end and order["order_status"] not in without:
            months[order["order_id"]] = placed.strftime("%Y-%m")
    revenue = {
        seller: Counter() for seller in pq.read_table(olist / "sellers.parquet")["seller_id"].to_pylist()
    }
    for item in pq.read_table(olist / "order_items.parquet").to_pylist():
        if item["order_id"] in months:
            revenue[item["seller_id"]][months[item["order_id"]]] += round(item["price"] * 100)
    return {seller: dict(cents) for seller, cents in revenue.items() if cents}


def served_sales(platform, sellers, begin, end, figure):
    """Return one figure of every seller by month from the API, with one request per seller."""
    query = {"from": f"{begin:%Y-%m-%d}", "to": f"{end:%Y-%m-%d}", "grain": "month"}

    def ask(seller):
        answer = http.get(f"/v1/sellers/{seller}/sales", params=query).raise_for_status().json()
        return {each["start"][:7]: each[figure] for each in answer["series"] if each[figure]}

    headers = bearer(passwords.ensure(platform.settings))
    with (
        httpx.Client(base_url=platform.settings.serving, timeout=60, headers=headers) as http,
        ThreadPoolExecutor(8) as pool,
    ):
        return dict(zip(sellers, pool.map(ask, sellers), strict=True))


def test_every_sellers_sales_of_the_slice_equal_a_plain_recomputation(olist_slice, olist):
    begin, end = map(datetime.fromisoformat, SLICE)
    expected = recomputed_sales(olist, begin, end)

    assert len(expected) > 100
    assert served_sales(olist_slice, expected, begin, end, "gross_minor") == expected


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_every_sellers_revenue_of_every_month_equals_a_plain_recomputation(olist_slice, olist):
    begin, end = datetime(2016, 9, 1), datetime(2018, 11, 1)  # noqa: DTZ001 the shop's wall clock
    olist_slice.souk("replay", "olist", str(olist), "--speed", "max", timeout_s=1_800)
    assert olist_slice.audit("--only", "kafka_vs_facts", wait_s=900)["settled"]
    expected = recomputed_sales(olist, begin, end, without={"canceled", "unavailable"})

    assert len(expected) > 3_000
    served = served_sales(olist_slice, expected, begin, end, "revenue_minor")
    assert served == expected


def test_a_wrong_cent_in_an_aggregate_is_found_with_its_seller_and_minute(settings, olist_slice, clickhouse):
    table = writable(settings, "sales_lines")
    wrong = ", ".join(f"{name} + {{cents:Int64}} AS {name}" for name in ("gross_minor", "revenue_minor"))
    row = f"SELECT * REPLACE ({wrong}) FROM {table} FINAL"
    first = "WHERE kind = 'sold' ORDER BY seller_id, minute, order_id, line_number LIMIT 1"
    clickhouse.command(f"INSERT INTO {table} {row} {first}", parameters={"cents": 1})

    wrong = olist_slice.audit("--only", "facts_vs_seller_sales", wait_s=5)
    clickhouse.command(f"INSERT INTO {table} {row} {first}", parameters={"cents": -1})
    mended = olist_slice.audit("--only", "facts_vs_seller_sales")

    differences = {each["field"]: each for each in wrong["comparisons"][0]["differences"]}
    assert wrong["exit_code"] == 1
    assert differences.keys() == {"gross_minor", "revenue_minor"}
    assert {each["right"] - each["left"] for each in differences.values()} == {1}
    assert mended["differences"] == 0


@pytest.mark.usefixtures("olist_slice")
def test_what_is_no_event_is_dead_lettered_with_a_reason_and_later_events_arrive(
    settings, clickhouse, kafka, eventually
):
    malformed = b"\x07not an event " + uuid.uuid4().bytes
    unknown = struct.pack(">bI", 0, 999_999) + uuid.uuid4().bytes
    good = str(uuid.uuid4())
    produce(
        settings,
        "order_confirmed",
        malformed,
        unknown,
        encoded(settings, "order_confirmed", confirmation(good)),
    )

    eventually(lambda: rows_with(clickhouse, "order_confirmed", good) == 1)
    eventually(lambda: letters_with(kafka, "order_confirmed", malformed))
    eventually(lambda: letters_with(kafka, "order_confirmed", unknown))

    for value in (malformed, unknown):
        letter = letters_with(kafka, "order_confirmed", value)[0]
        assert letter.stage == "decode"
        assert letter.reason


@pytest.mark.usefixtures("olist_slice")
def test_a_row_that_clickhouse_refuses_is_dead_lettered_with_a_reason_and_later_events_arrive(
    settings, clickhouse, kafka, eventually
):
    refused, good = str(uuid.uuid4()), str(uuid.uuid4())
    beyond = {**alert(refused), "occurred_at": datetime(1700, 1, 1, tzinfo=UTC)}
    values = [encoded(settings, "alert_raised", record) for record in (beyond, alert(good))]
    produce(settings, "alert_raised", *values)

    eventually(lambda: rows_with(clickhouse, "alert_raised", good) == 1)
    eventually(lambda: [x for x in kafka.dead_letters("alert_raised") if refused.encode() in x.value])

    [letter] = [x for x in kafka.dead_letters("alert_raised") if refused.encode() in x.value]
    assert letter.stage == "clickhouse"
    assert letter.reason
    assert rows_with(clickhouse, "alert_raised", refused) == 0


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_every_part_killed_once_during_a_replay_costs_no_row_and_no_cent(olist_slice, olist, eventually):
    month, two_minutes = ("2018-07-01", "2018-08-01"), str(31 * 86_400 // 120)
    replay = olist_slice.start(
        "replay", "olist", str(olist), "--from", month[0], "--to", month[1], "--speed", two_minutes
    )
    for part in ("taskmanager", "jobmanager", "kafka", "clickhouse", "redis"):
        killed = olist_slice.status()[part]["pid"]
        os.kill(killed, signal.SIGKILL)
        eventually(lambda part=part, killed=killed: is_back(olist_slice.status()[part], killed), 300)
    os.kill(olist_slice.status()["supervisor"]["pid"], signal.SIGKILL)
    olist_slice.souk("up")

    replay.wait(1_800)
    olist_slice.souk("replay", "olist", str(olist), "--from", month[0], "--to", month[1])
    found = olist_slice.audit(wait_s=600)

    assert found["settled"]
    assert found["differences"] == 0


def is_back(part, killed):
    return part["state"] == "ready" and part["pid"] != killed
