"""A stand-in for the commerce services. It has one order, whose steps a test chooses.

What it answers must have the response model of the service's own route, and only that is sent.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.routing import Match

from common.guarded_route import all_routes
from common.settings import LOOPBACK, Settings
from producers.registry import SERVICES
from producers.services.reviews.model import aggregate

ORDER_ID = "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11"
LINES = (("ana", "desk-lamp", 9990), ("new", "atlas", 7990))


def order_of_two_sellers(status: str, *steps: str) -> dict[str, Any]:
    """A paid order of two sellers, as `GET /v1/orders/{id}` shows it, and the steps after it was placed."""
    return {
        "order_id": ORDER_ID,
        "shopper_id": "s",
        "status": status,
        "cancellation_reason": None,
        "currency": "BRL",
        "placed_at": "2026-11-20T12:00:00Z",
        "history": [
            {"status": step, "at": "2026-11-20T12:00:00Z", "seller_id": None, "carrier": None}
            | {"tracking_code": None}
            for step in ("placed", *steps)
        ],
        "lines": [
            {
                "line_number": number,
                "seller_id": seller,
                "product_id": product,
                "unit_price_minor": price,
                "quantity": 1,
                "discount_minor": 0,
                "shipping_minor": 0,
                "tax_minor": 0,
                "marketplace_minor": None,
                "line_voucher_id": None,
                "order_voucher_id": None,
            }
            for number, (seller, product, price) in enumerate(LINES, 1)
        ],
        "payment": {
            "status": "captured",
            "method": "credit_card",
            "amount_minor": 17980,
            "refunded_minor": 0,
        },
    }


def listed(order: dict[str, Any]) -> dict[str, Any]:
    """A page of the sender's orders that has only this one, as `GET /v1/orders` shows it."""
    fields = ("order_id", "status", "cancellation_reason", "currency", "placed_at")
    payment = order["payment"]
    entry = {name: order[name] for name in fields} | {
        "amount_minor": payment["amount_minor"],
        "refunded_minor": payment["refunded_minor"],
        "payment_status": payment["status"],
        "lines": [{name: line[name] for name in ("product_id", "quantity")} for line in order["lines"]],
    }
    return {"orders": [entry], "next_cursor": None}


def cart_of(*lines: tuple[str, str, int]) -> dict[str, Any]:
    """A cart with one unit of each product (product, seller, price), as `GET /v1/cart` shows it."""
    parcels = []
    for product_id, seller_id, price in lines:
        line = {"product_id": product_id, "seller_id": seller_id, "quantity": 1, "is_saved": False}
        line |= {"unit_price_minor": price, "was_minor": None, "total_minor": price, "available": 9}
        line |= {"problem": None, "added_at": "2026-11-20T12:00:00Z"}
        parcels.append({"seller_id": seller_id, "lines": [line], **_amounts(1, price)})
    return {
        "cart_id": "c" if lines else None,
        "currency": "BRL",
        "parcels": parcels,
        "saved": [],
        "can_be_bought": bool(lines),
        "voucher_codes": [],
        "touched_at": None,
        **_amounts(len(lines), sum(price for _, _, price in lines)),
    }


def _amounts(units: int, total_minor: int) -> dict[str, int]:
    return {"units": units, "items_minor": total_minor, "shipping_minor": 0, "total_minor": total_minor}


@dataclass
class CommerceStub:
    """What the stand-in answers: an order, a cart, no review, what else a test says by path; and what it was
    asked.

    `wrong` has the answers that no service would give.
    """

    order: dict[str, Any] = field(default_factory=lambda: order_of_two_sellers("confirmed", "confirmed"))
    cart: dict[str, Any] = field(default_factory=cart_of)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str) -> bytes | None:
        """Return the JSON of the response to a request; None if there is no answer.

        Raises:
            ValidationError: no service would answer that.
        """
        if (method, path) == ("GET", "/v1/orders"):
            found: Any = listed(self.order)
        elif path == "/v1/orders" or path.startswith(f"/v1/orders/{ORDER_ID}"):
            found = self.order
        elif path.startswith("/v1/cart"):
            found = self.cart
        elif path.startswith("/v1/products/") and path.endswith("/reviews"):
            found = {"aggregate": aggregate([0] * 5), "reviews": [], "next_cursor": None}
        else:
            found = self.answers.get(path)
        scope = {"type": "http", "method": method, "path": path}
        for service in SERVICES.values() if found is not None else ():
            for route in all_routes(service.router):
                if isinstance(route, APIRoute) and route.matches(scope)[0] is Match.FULL:
                    model = TypeAdapter[Any](route.response_model)
                    return model.dump_json(model.validate_python(found), by_alias=True, exclude_unset=True)
        return None


@contextmanager
def running_commerce_stub(settings: Settings) -> Iterator[CommerceStub]:
    """Run the stand-in at the address of the commerce services in these settings."""
    commerce = CommerceStub()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                said = commerce.answer(self.command, self.path.partition("?")[0])
            except ValidationError as error:
                commerce.wrong.append(f"{self.command} {self.path}: {error}")
                said = None
            self.send_response(404 if said is None else 200)
            self.send_header("Content-Type", "application/json" if said else "application/problem+json")
            content = said or b'{"type": "not-found", "title": "not here", "status": 404}'
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            commerce.asked.append(self.path)
            if not self.path.startswith(("/v1/cart", "/v1/orders/quotes")):
                commerce.order = order_of_two_sellers("cancelled", "confirmed", "cancelled")
            self.do_GET()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, settings.port("commerce")), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield commerce
    finally:
        server.shutdown()
        server.server_close()
    assert commerce.wrong == []
