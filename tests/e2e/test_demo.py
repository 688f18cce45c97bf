"""`./souk demo` on a new copy: traffic flows, and after Ctrl-C only the data is left."""

import json
import signal

import httpx
import pytest

from common.clock import system_clock
from local import passwords
from local.demo.figures import read_status
from tests.e2e import panel_series
from tests.e2e.conftest import wait_until
from tests.principals import bearer

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3_600)]


def test_every_store_agrees_while_a_demo_runs_and_after_it_was_stopped(untouched, eventually, request):
    home, serving = untouched.settings.home, untouched.settings.serving
    demo = untouched.start("demo", "--rate", "200", "--weeks", "1", "--seed", "7")
    request.addfinalizer(lambda: demo.poll() is None and demo.kill())

    def is_alive() -> bool:
        assert demo.poll() is None, "the demo ended by itself"
        seen = read_status(home)
        looked = "sales" in seen.endpoints  # sellers poll their sales half a minute after the start
        return seen.phase == "live" and looked and seen.orders.get("confirmed", 0) >= 10

    def sales() -> int:
        headers = bearer(passwords.ensure(untouched.settings))
        today = system_clock().astimezone(untouched.settings.timezone).date().isoformat()
        answer = httpx.get(
            f"{serving}/v1/marketplace/sales", params={"from": today}, headers=headers, timeout=30
        )
        return answer.raise_for_status().json()["totals"]["revenue_minor"]

    def order_of_a_person() -> str:
        guest = httpx.post(f"{serving}/v1/auth/guest_sessions", timeout=30).raise_for_status().json()
        person["Authorization"] = f"Bearer {guest['guest_token']}"
        line = {"product_id": "product-000001", "quantity": 1}
        payment = {"method": "pix", "token": "tok_visa"}
        answer = httpx.post(
            f"{serving}/v1/orders",
            headers=person | {"Idempotency-Key": "a person's only order"},
            json={"currency": "BRL", "payment": payment, "lines": [line]},
            timeout=30,
        )
        return answer.raise_for_status().json()["order_id"]

    def is_shipped(order_id: str) -> bool:
        order = httpx.get(f"{serving}/v1/orders/{order_id}", headers=person, timeout=30)
        order = order.raise_for_status().json()
        assert order["status"] != "cancelled", order
        return order["status"] in ("shipped", "delivered")

    person: dict[str, str] = {}
    eventually(is_alive, 900)
    eventually(sales, 60)
    order_id = order_of_a_person()
    eventually(lambda: is_shipped(order_id), 300)
    wait_until(lambda: not panel_series.missing(untouched.settings), 120)
    assert panel_series.missing(untouched.settings) == {}
    while_open = untouched.audit()
    assert while_open["exit_code"] == 0, json.dumps(while_open, indent=1)
    seen = read_status(home)
    demo.send_signal(signal.SIGINT)

    assert demo.wait(180) == 0
    assert untouched.processes() == []
    assert seen.errors == {}
    assert {"orders", "recommendations", "events", "sales"} <= seen.endpoints.keys()
    assert (seen.pace, seen.slowed_because) == (1.0, "")

    untouched.souk("up")
    audit = untouched.audit()
    assert audit["exit_code"] == 0, json.dumps(audit, indent=1)
