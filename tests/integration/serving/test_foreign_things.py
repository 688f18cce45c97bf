"""Random requests of outsiders for things of others: none gets a byte of them, and none changes anything."""

import os
from dataclasses import dataclass
from itertools import product
from random import Random
from secrets import token_hex
from typing import Any

import httpx
import pytest
from hypothesis import settings as profile

from common.ids import new_id
from common.principal import Principal, guest
from tests.integration.serving.conftest import Office
from tests.principals import bearer

ROUNDS = max(1, profile.default.max_examples // 100)
"""How often each kind of outsider sends each request: once; 10 times with `--nightly`."""

OUTSIDERS = 10
"""Outsiders of each kind."""

ADDRESSES = 50
"""Outsiders come from many addresses, so that limits do not refuse them before the walls do."""

MARKER = f"mark{token_hex(8)}"
"""Part of everything that is private in this test."""

UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGF0Zm9ybTp4Iiwicm9sZXMiOlsicGxhdGZvcm0iXX0."
"""A token of a process of the platform, without a signature."""

SERVED = {200, 201, 202, 204, 304}
REFUSED = {303, 400, 401, 403, 404, 405, 409, 413, 415, 422}


@dataclass
class Private:
    """Things of a shopper, a seller and a person."""

    shopper_id: str
    order_ids: list[str]
    product_id: str
    seller_id: str
    user_id: str
    application_id: str
    key_id: str


@pytest.fixture(scope="module")
def private(office: Office) -> Private:
    shop = office.shop
    seller_id, shopper_id = f"seller-{MARKER}", f"shopper-{MARKER}"
    shop.tell("seller_registered", seller_id=seller_id, name=f"Name {MARKER}")
    product_id = shop.product(seller_id=seller_id)
    orders = [shop.buy(product_id, shopper_id=shopper_id) for _ in range(5)]
    for order_id in orders:
        shop.settled(order_id)
    user_id = office.register(f"{MARKER}@shop.example")
    owner = Principal(
        user_id, frozenset({"shopper", "seller"}), (new_id(),), {seller_id: "owner"}, None, "sid"
    )
    with office.http(owner) as http:
        applied = http.post(
            "/v1/seller_applications",
            json={
                "name": f"Second {MARKER}",
                "legal_name": f"Legal {MARKER}",
                "tax_id": f"Tax {MARKER}",
                "contact_email": f"shop-{MARKER}@shop.example",
                "country": "BR",
            },
        )
        assert applied.status_code == 201, applied.text
        made = http.post(
            f"/v1/sellers/{seller_id}/api_keys", json={"name": f"Key {MARKER}", "scopes": ["orders:read"]}
        )
        assert made.status_code == 201, made.text
    application = applied.json()["application_id"]
    return Private(shopper_id, orders, product_id, seller_id, user_id, application, made.json()["key_id"])


KINDS = ("nobody", "guest", "shopper", "owner", "key")


def outsider(kind: str) -> Principal | None:
    """A guest, a shopper, staff of another seller, an API key of another seller, or nobody."""
    name = token_hex(8)
    if kind == "nobody":
        return None
    if kind == "guest":
        return guest(token_hex(16))
    if kind == "key":
        scopes = frozenset({"orders:read", "analytics:read", "stock:write", "profile:read", "staff:read"})
        return Principal(f"key:{name}", frozenset({"seller"}), (), {f"other-{name}": "manager"}, scopes)
    staff: dict[str, Any] = {f"other-{name}": "owner"} if kind == "owner" else {}
    roles: Any = frozenset({"shopper", *(["seller"] if staff else [])})
    return Principal(new_id(), roles, (f"shopper-{name}",), staff, None, f"session-{name}")


def foreign_requests(private: Private, random: Random) -> list[tuple[str, str, Any]]:
    """Methods, paths and bodies that concern something of somebody else."""
    order = random.choice(private.order_ids)
    seller, user = private.seller_id, private.user_id
    return [
        ("GET", f"/v1/orders/{order}", None),
        ("GET", f"/v1/orders/{order.upper()}", None),
        ("GET", f"/v1/orders/{order}?shopper_id={private.shopper_id}", None),
        ("POST", f"/v1/orders/{order}/cancellation", {}),
        ("GET", f"/v1/orders/{order}/payment", None),
        ("GET", "/v1/orders", None),
        ("GET", f"/v1/orders?shopper_id={private.shopper_id}", None),
        ("POST", "/v1/orders", _order(private)),
        ("GET", f"/shop/orders/{order}", None),
        ("GET", f"/shop/orders/{order}/state", None),
        ("GET", f"/v1/recommendations/{private.shopper_id}", None),
        ("POST", "/v1/events", {"events": [_view(private)]}),
        *(
            ("GET", f"/v1/sellers/{seller}/{what}", None)
            for what in ("sales", "products/top", "orders", "profile", "staff", "api_keys", "commission")
        ),
        ("PATCH", f"/v1/sellers/{seller}/profile", {"name": "Taken"}),
        (
            "POST",
            f"/v1/sellers/{seller}/staff_invitations",
            {"email": "me@shop.example", "role": "owner"},
        ),
        ("PUT", f"/v1/sellers/{seller}/staff/{user}", {"role": "fulfilment"}),
        ("DELETE", f"/v1/sellers/{seller}/staff/{user}", None),
        ("POST", f"/v1/sellers/{seller}/api_keys", {"name": "mine", "scopes": ["orders:read"]}),
        ("DELETE", f"/v1/sellers/{seller}/api_keys/{private.key_id}", None),
        ("PUT", f"/v1/products/{private.product_id}/stock", {"seller_id": seller, "on_hand": 1_000_000}),
        ("PUT", "/v1/stock", [{"product_id": private.product_id, "seller_id": seller, "on_hand": 0}]),
        ("GET", f"/sell/{seller}", None),
        ("GET", f"/sell/{seller}/orders", None),
        ("GET", f"/sell/{seller}/settings", None),
        ("POST", f"/v1/seller_applications/{private.application_id}/approval", {}),
        ("GET", "/v1/seller_applications", None),
        ("GET", "/v1/people", None),
        ("GET", f"/v1/people/{user}", None),
        ("PUT", f"/v1/people/{user}/role", {"role": "admin"}),
        ("POST", f"/v1/people/{user}/suspension", {"reason": "because"}),
        ("GET", "/v1/mails", None),
        ("GET", "/v1/settings", None),
        ("PUT", "/v1/settings/shedding_enabled", {"value": False, "reason": "because"}),
        ("GET", "/v1/auth/state?after=0", None),
        ("POST", "/v1/auth/demo_sessions", {"role": "admin"}),
        ("GET", f"/admin/people/{user}", None),
        ("GET", "/ops/mail", None),
    ]


def _order(private: Private) -> dict[str, Any]:
    line = {"product_id": private.product_id, "quantity": 1}
    payment = {"method": "credit_card", "token": "tok_visa"}
    return {"shopper_id": private.shopper_id, "currency": "BRL", "payment": payment, "lines": [line]}


def _view(private: Private) -> dict[str, Any]:
    return {"event": "product_viewed", "session_id": private.shopper_id, "product_id": "x"}


def forged_headers(random: Random) -> dict[str, str]:
    """Headers with which an outsider tries to be somebody else."""
    return random.choice(
        [
            {},
            {"Souk-Principal": UNSIGNED},
            {"Souk-Principal": UNSIGNED, "Connection": "Souk-Principal"},
            {"X-Forwarded-For": "127.0.0.1"},
            {"Cookie": "souk_access=e30.e30.e30; souk_session=" + "a" * 32 + "." + "b" * 32},
            {"X-Original-URL": "/v1/people", "X-Rewrite-URL": "/v1/people"},
            {"X-HTTP-Method-Override": "GET", "Idempotency-Key": token_hex(8)},
        ]
    )


@pytest.mark.timeout(3_600)
def test_an_outsider_gets_no_byte_of_what_belongs_to_others(office: Office, private: Private) -> None:
    seed = int(os.environ.get("SOUK_TEST_SEED", "1"))
    print(f"SOUK_TEST_SEED={seed}")
    random = Random(seed)
    base = office.settings.serving
    clients = [
        httpx.Client(
            base_url=base,
            timeout=60,
            transport=httpx.HTTPTransport(local_address=f"127.2.0.{number + 1}"),
        )
        for number in range(ADDRESSES)
    ]
    outsiders = {kind: [outsider(kind) for _ in range(OUTSIDERS)] for kind in KINDS}
    pairs = [pair for _ in range(ROUNDS) for pair in product(KINDS, foreign_requests(private, random))]
    random.shuffle(pairs)
    wrong = []
    while pairs:
        kind, (method, target, body) = pairs[-1]
        principal = random.choice(outsiders[kind])
        headers = forged_headers(random) | (bearer(office.settings, principal) if principal else {})
        headers |= {"Origin": base, "Accept": random.choice(["text/html", "application/json", "*/*"])}
        client = random.choice(clients)
        client.cookies.clear()
        answer = client.request(method, target, json=body, headers=headers)
        if answer.status_code in (429, 503):
            continue  # refused for another reason: sent again
        pairs.pop()
        own = target.removeprefix(target.partition("?")[0])
        said = answer.text.replace(target, "").replace(own, "").replace(target.partition("?")[0], "")
        if MARKER in said.replace(private.seller_id, "").replace(private.shopper_id, ""):
            wrong.append(f"{method} {target} by {principal}: {answer.status_code} {said[:200]}")
        if answer.status_code not in REFUSED and not (answer.status_code in SERVED and _is_own(target)):
            wrong.append(f"{method} {target} by {principal}: {answer.status_code}")
    for client in clients:
        client.close()
    assert wrong == []
    assert [office.shop.order(order_id)["status"] for order_id in private.order_ids] == ["confirmed"] * 5
    on_hand, _ = office.shop.stock(private.product_id)
    assert on_hand == 5
    assert office.shop.http.get(f"/v1/sellers/{private.seller_id}/profile").json()["name"] == f"Name {MARKER}"


def _is_own(target: str) -> bool:
    """Whether the route answers everybody, each with what is their own."""
    return target.startswith(("/v1/orders?", "/ops/mail")) or target == "/v1/orders"
