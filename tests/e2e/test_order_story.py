"""`./souk logs --order ID` tells the story of an order across all parts, in the order of time."""

import json
import uuid
from datetime import UTC, datetime

import httpx
import pytest
from confluent_kafka import Producer

from common.principal_token import PlatformToken
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from tests.log_lines import read_structured

pytestmark = pytest.mark.timeout(3_600)

RUN = uuid.uuid4().hex[:8]
SELLER, PRODUCT = f"seller-{RUN}", f"product-{RUN}"
ALWAYS_LOG = ("serving", "commerce", "clickhouse", "jobs")


@pytest.fixture(scope="module")
def settings(platform):
    return platform.started_settings()


@pytest.fixture(scope="module")
def api(settings):
    auth = PlatformToken(settings, "tests")
    with httpx.Client(base_url=settings.serving, trust_env=False, timeout=60, auth=auth) as client:
        yield client


def list_product(settings):
    described = all_events()["product_listed"]
    record = {field["name"]: field.get("default") for field in described.fields}
    record |= {"event_id": str(uuid.uuid4()), "occurred_at": datetime.now(UTC), "product_id": PRODUCT}
    record |= {"seller_id": SELLER, "name": "Lantern", "currency": "BRL", "price_minor": 9_990}
    with SchemaRegistry(settings.registry) as registry:
        value = Encoder(described, registry.register(described.subject, described.text)).encode(record)
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random"})
    producer.produce("product_listed", value, PRODUCT)
    assert producer.flush(60) == 0


def place(api, correlation_id):
    """Order one unit; return the response."""
    lines = [{"product_id": PRODUCT, "quantity": 1, "unit_price_minor": 9_990}]
    body = {
        "shopper_id": f"shopper-{RUN}",
        "currency": "BRL",
        "lines": lines,
        "payment": {"method": "credit_card"},
    }
    headers = {"Idempotency-Key": correlation_id, "X-Correlation-Id": correlation_id}
    return api.post("/v1/orders", json=body, headers=headers)


def confirmed_order(settings, api, eventually):
    """List a product, order it, wait until the order is confirmed, and return its id."""
    list_product(settings)
    stock = {"seller_id": SELLER, "on_hand": 5}
    eventually(lambda: api.put(f"/v1/products/{PRODUCT}/stock", json=stock).is_success)
    placed = []
    eventually(lambda: placed.append(place(api, f"story-{RUN}-{len(placed)}")) or placed[-1].is_success)
    order_id = placed[-1].json()["order_id"]
    eventually(lambda: api.get(f"/v1/orders/{order_id}").json()["status"] == "confirmed")
    return order_id


@pytest.fixture(scope="module")
def order_id(settings, api, eventually):
    """A confirmed order."""
    return confirmed_order(settings, api, eventually)


@pytest.fixture(scope="module")
def story(platform, order_id, eventually):
    """The lines of the order's story, once every event is stored."""
    told = []

    def complete():
        done = platform.souk("logs", "--order", order_id, "--json")
        assert not done.stderr, done.stderr
        told[:] = [json.loads(line) for line in done.stdout.splitlines()]
        return {"stored order_placed", "stored payment_captured", "stored order_confirmed"} <= {
            line["message"] for line in told
        }

    eventually(complete)
    return told


def steps(story, message, field):
    return {line.get(field) for line in story if line["message"] == message}


def test_the_story_has_the_requests_of_the_gateway_and_of_the_orders_service(story):
    requests = [line for line in story if line["message"] == "request" and line["route"] == "/v1/orders"]

    assert {line["part"] for line in requests} == {"serving", "commerce"}
    assert {line["status"] for line in requests} == {202}
    assert len({line["correlation_id"] for line in requests}) == 1
    assert len({line["trace_id"] for line in requests}) == 1


def test_the_story_has_every_service_the_outbox_kafka_and_clickhouse(story, order_id):
    chain = {"order_placed", "stock_reserved", "payment_captured", "order_confirmed"}

    assert steps(story, "processed", "service") >= {"orders", "inventory", "payments"}
    assert steps(story, "published", "topic") == chain
    assert {line["message"].removeprefix("event ") for line in story if line["part"] == "kafka"} == chain
    assert {
        line["message"].removeprefix("stored ") for line in story if line["part"] == "clickhouse"
    } == chain
    assert steps(story, "the payment provider answered", "outcome") == {"captured"}
    assert steps(story, "processed", "correlation_id") == {order_id}


def test_all_lines_have_one_trace_and_are_in_the_order_of_time(story):
    chain = [line for line in story if line.get("method") != "GET"]  # slow reads of the order are logged, too
    assert len({line["trace_id"] for line in chain}) == 1
    times = [line["timestamp"] for line in story]
    assert times == sorted(times)
    named = [line["message"] for line in story if line["part"] in ("kafka", "clickhouse")]
    assert named.index("event order_placed") < named.index("event order_confirmed")
    assert named.index("event order_placed") < named.index("stored order_placed")


def test_another_order_s_lines_are_not_in_the_story(platform, story, api, order_id, eventually):
    other = place(api, f"other-{RUN}").json()["order_id"]
    eventually(lambda: api.get(f"/v1/orders/{other}").json()["status"] == "confirmed")
    again = platform.souk("logs", "--order", order_id, "--json").stdout

    assert other not in again
    assert order_id in again
    assert len(again.splitlines()) >= len(story)


def test_the_readable_story_names_parts_and_levels_and_a_level_selects(platform, order_id):
    lines = platform.souk("logs", "--order", order_id).stdout.splitlines()

    assert any(" commerce " in line and " INFO " in line and "processed" in line for line in lines)
    assert platform.souk("logs", "--order", order_id, "--level", "critical").stdout == ""


def test_every_line_of_every_process_of_ours_has_its_ids(platform):
    lines = {
        part: (platform.settings.home / "logs" / f"{part}.log").read_text().splitlines()
        for part in (*ALWAYS_LOG, "rollups", "seller_sql", "search", "training", "audit")
    }
    assert all(lines[part] for part in ALWAYS_LOG)
    for part in lines:
        read_structured(lines[part])


def test_the_times_of_other_servers_are_in_utc(platform):
    now, compared = datetime.now(UTC), set()
    for part in ("kafka", "jobmanager", "taskmanager", "postgres", "redis", "registry"):
        done = platform.souk("logs", part, "--json", "-n", "5")
        times = [json.loads(line)["timestamp"] for line in done.stdout.splitlines()]
        for time in filter(None, times):
            age_s = (now - datetime.fromisoformat(time)).total_seconds()
            assert -60 < age_s < 3 * 3600, (part, time)
            compared.add(part)
    assert {"kafka", "jobmanager", "postgres"} <= compared
