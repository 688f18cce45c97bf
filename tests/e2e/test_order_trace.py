"""A checkout has one trace, from the request to the seller's figure; Zipkin's page finds it by order id."""

import json

import httpx
import pytest
from playwright.sync_api import expect

from common.principal_token import PlatformToken
from tests.chromium import opened
from tests.e2e.test_order_story import confirmed_order

pytestmark = [pytest.mark.timeout(3_600), pytest.mark.browser, pytest.mark.nightly]

PATIENCE_MS = 60_000

STAGES = {
    ("serving", "post /v1/orders"),
    ("serving", "post orders"),
    ("orders", "post /v1/orders"),
    ("orders", "postgresql"),
    ("orders", "publish order_placed"),
    ("inventory", "process order_placed"),
    ("payments", "process order_placed"),
    ("inventory", "publish stock_reserved"),
    ("payments", "process stock_reserved"),
    ("payments", "call the payment provider"),
    ("payments", "publish payment_captured"),
    ("orders", "process payment_captured"),
    ("orders", "publish order_confirmed"),
    ("job facts", "store order_placed"),
    ("job facts", "store stock_reserved"),
    ("job facts", "store payment_captured"),
    ("job facts", "store order_confirmed"),
    ("trace follower", "wait for sales"),
    ("trace follower", "show sales"),
    ("serving", "get /v1/sellers/{seller_id}/sales"),
    ("serving", "query seller_sales"),
}
"""Service and name, as Zipkin writes them: in lower case."""


def trace_of(zipkin, order_id):
    """Return the spans of the order's longest trace, as Zipkin has them; empty if there is none yet."""
    query = {"annotationQuery": f"order.id={order_id}", "limit": "50"}
    traces = httpx.get(f"{zipkin}/api/v2/traces", params=query, trust_env=False, timeout=60).json()
    return max(traces, key=len, default=[])


def stages_of(spans):
    return {(span["localEndpoint"]["serviceName"], span["name"]) for span in spans}


def test_a_checkout_has_one_trace_up_to_the_figure_and_zipkin_finds_it(untouched, eventually):
    untouched.environment["SOUK_TRACE_SAMPLING"] = "1"
    untouched.souk("up", "--with", "zipkin")
    settings = untouched.started_settings()
    with httpx.Client(
        base_url=settings.serving, trust_env=False, timeout=60, auth=PlatformToken(settings, "tests")
    ) as api:
        order_id = confirmed_order(settings, api, eventually)
    trace_id = check(settings, order_id, eventually)

    told = untouched.souk("logs", "--order", order_id, "--json").stdout
    story = [line for line in map(json.loads, told.splitlines()) if line.get("method") != "GET"]
    assert {line["part"] for line in story} >= {"serving", "commerce", "kafka", "clickhouse"}
    assert {line["trace_id"] for line in story} == {trace_id}


def check(settings, order_id, eventually):
    """Check the trace of a confirmed order in Zipkin's API, and on its page. Return the trace's id."""
    zipkin = settings.zipkin_base
    eventually(lambda: stages_of(trace_of(zipkin, order_id)) >= STAGES)
    spans = trace_of(zipkin, order_id)
    by_id = {span["id"]: span for span in spans}

    assert len(by_id) == len({(span["id"], span.get("kind")) for span in spans})
    assert len({span["traceId"] for span in spans}) == 1
    assert [span["name"] for span in spans if "parentId" not in span] == ["post /v1/orders"]
    assert [span for span in spans if "parentId" in span and span["parentId"] not in by_id] == []
    (shown,) = [span for span in spans if span["name"] == "show sales"]
    assert shown["tags"]["as_of"]

    with opened() as browser:
        page = browser.new_page(
            viewport={"width": 1_400, "height": 3_000}
        )  # the list shows visible rows only
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.goto(f"{zipkin}/zipkin/?annotationQuery=order.id%3D{order_id}&limit=50")
        page.get_by_role("button", name="Run Query").click()
        row = page.get_by_role("row").filter(has_text="serving: post /v1/orders")
        row.get_by_role("button", name="Show").click()
        page.wait_for_url(f"**/zipkin/traces/{spans[0]['traceId']}**")
        for name in ("post /v1/orders", "publish order_placed", "store order_confirmed", "show sales"):
            expect(page.get_by_text(name).first).to_be_attached()
        expect(page.get_by_text("Total Spans").locator("..")).to_contain_text(str(len(spans)))
    return spans[0]["traceId"]
