"""Carts of live shoppers against a server: the requests that change them."""

import asyncio
from typing import Any

import orjson

from producers.simulator.live.api import ShopApi
from producers.simulator.live.carts import MAX_PRODUCTS, LiveCarts
from producers.simulator.live.steps import ChangeCart
from producers.simulator.status import SimulatorStatus
from tests.integration.http_server import answered, serving


def sent(before: int, now: int, products: int = 1, status: str = "200 OK") -> tuple[list[str], int]:
    """Change a cart of so many products; return the requests with their bodies, and how many changed it."""
    lines = [{"product_id": f"p{day}", "added_at": f"2026-03-{day + 1:02}"} for day in range(products)]
    cart = {"parcels": [{"lines": lines[1:]}, {"lines": lines[:1]}]}

    async def change() -> tuple[list[str], int]:
        counted = SimulatorStatus()
        answer = answered(status, orjson.dumps(cart))
        async with serving(answer) as heard, ShopApi(heard.url, counted) as api:
            step = ChangeCart(0, "ana", "visit", "a/lamp", "bob", before, now, "list")
            await LiveCarts(api, counted).change(step)
            return [_short(request) for request in heard.requests], counted.events["cart_changed"]

    return asyncio.run(change())


def _short(request: bytes) -> str:
    head, _, body = request.partition(b"\r\n\r\n")
    line = head.partition(b" HTTP/")[0].decode()
    fields: dict[str, Any] = orjson.loads(body) if body else {}
    return " ".join([line, *(f"{name}={value}" for name, value in fields.items())])


WHOSE = "shopper_id=ana session_id=visit"


def test_a_visit_adds_units_takes_some_back_and_removes_the_rest() -> None:
    added = f"POST /v1/cart/lines product_id=a/lamp seller_id=bob quantity=2 {WHOSE} recommendation_id=list"
    assert sent(1, 3) == ([added], 1)
    assert sent(3, 1) == ([f"PUT /v1/cart/lines/a%2Flamp quantity=1 {WHOSE}"], 1)
    assert sent(1, 0) == (["DELETE /v1/cart/lines/a%2Flamp?shopper_id=ana&session_id=visit"], 1)


def test_whoever_has_too_many_products_removes_the_oldest() -> None:
    (_, removal), changes = sent(0, 1, MAX_PRODUCTS + 1)
    assert removal == "DELETE /v1/cart/lines/p0?shopper_id=ana&session_id=visit"
    assert changes == 2
    assert len(sent(0, 1, MAX_PRODUCTS)[0]) == 1


def test_a_change_that_is_refused_or_not_answered_changes_nothing_and_the_visit_goes_on() -> None:
    assert sent(0, 1, status="409 Conflict")[1] == 0
    assert sent(0, 1, status="503 Service Unavailable")[1] == 0
