"""Every route with every kind of principal, with its own ids and with those of somebody else.

Whom a route must refuse sends every request. Of those whom it must serve, one sends each request: another
principal for each route, and all of them in the nightly run.
"""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import settings as profile

from common.access_policy import AccessPolicy
from common.guarded_route import GuardedRoute, all_routes
from common.principal import Principal, guest, platform
from common.settings import Settings
from serving.app import create_app
from tests.integration.servers import await_true
from tests.integration.serving.access_table import GROUPS, expected
from tests.principals import bearer

UUID = "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11"
SELLER, OTHER_SELLER = "ana", "new"
SCOPES = frozenset(
    {
        "analytics:read",
        "orders:read",
        "stock:write",
        "profile:read",
        "profile:write",
        "staff:read",
        "commission:read",
        "costs:read",
        "costs:write",
        "listings:read",
        "listings:write",
        "vouchers:read",
        "vouchers:write",
    }
)


def person(name: str, *roles: str, **staff: str) -> Principal:
    every = frozenset({"shopper", *roles, *(["seller"] if staff else [])})
    return Principal(f"user-{name}", every, (f"shopper-{name}",), staff, None, f"session-{name}")  # type: ignore[arg-type]


PRINCIPALS: dict[str, Principal | None] = {
    "nobody": None,
    "guest": guest("g" * 32),
    "shopper": person("shopper"),
    "owner": person("owner", ana="owner"),
    "manager": person("manager", ana="manager"),
    "staff_analyst": person("staff_analyst", ana="analyst"),
    "packer": person("packer", ana="fulfilment"),
    "other_owner": person("other_owner", bia="owner"),
    "key": Principal("key:1", frozenset({"seller"}), (), {SELLER: "manager"}, SCOPES),
    "analyst": person("analyst", "analyst"),
    "admin": person("admin", "admin"),
    "platform": platform("tests"),
}
EXPECTED = expected()
DENIALS = {"sign-in-required", "not-allowed", "not-found"}
EVERYONE_SERVED = profile.default.max_examples > 100
"""Whether each principal that a route serves requests it, as in the nightly run."""

ANYBODY = ("nobody", "guest", "packer", "key", "platform")
"""Who requests the routes that are for everybody, even in the nightly run: each kind, and nobody."""


def guarded_routes() -> Iterator[tuple[str, str, AccessPolicy]]:
    for route in all_routes(create_app(Settings())):
        if isinstance(route, GuardedRoute):
            for method in sorted(route.methods or ()):
                yield method, route.path, route.policy


ROUTES = {f"{method} {path}": policy for method, path, policy in guarded_routes()}


def test_the_table_has_every_route() -> None:
    assert ROUTES.keys() == EXPECTED.keys()


def test_every_principal_is_in_the_table() -> None:
    assert PRINCIPALS.keys() == GROUPS["everybody"]


def asking(allowed: frozenset[str], number: int) -> list[str]:
    """Return who of the principals that a route serves requests it; `number` is that of the route."""
    served = sorted(allowed.intersection(ANYBODY) if allowed == GROUPS["everybody"] else allowed)
    return served if EVERYONE_SERVED else [served[number % len(served)]]


def filled(path: str, principal: Principal | None, foreign: bool) -> str:
    own_visitor = principal.shopper_id if principal and principal.shopper_id else "somebody"
    ids = {
        "{seller_id}": OTHER_SELLER if foreign else SELLER,
        "{visitor_id}": "somebody-else" if foreign else own_visitor,
        "{product_id}": "lamp",
        "{order_id}": UUID,
        "{name}": "breaker_window",
        "{topic}": "order_placed",
        "{session_id}": UUID,
        "{address_id}": UUID,
        "{user_id}": UUID,
        "{application_id}": UUID,
        "{key_id}": UUID,
        "{invitation_id}": UUID,
        "{rule_id}": UUID,
        "{report_id}": UUID,
        "{view_id}": UUID,
        "{action}": "pause",
        "{review_id}": UUID,
        "{decision}": "publication",
        "{import_id}": UUID,
        "{picture_id}": UUID,
        "{category_id}": "Lamps",
        "{key}": "colour",
    }
    for name, value in ids.items():
        path = path.replace(name, quote(value))
    return path


def client_at(shop: Settings, number: int, headers: dict[str, str]) -> httpx.Client:
    """A client with an address of its own, because addresses may sign in a limited number of times."""
    transport = httpx.HTTPTransport(local_address=f"127.1.0.{number + 1}")
    same_site = {"Origin": shop.serving}  # forms of the pages need it
    return httpx.Client(base_url=shop.serving, headers=headers | same_site, transport=transport, timeout=120)


def outcome(client: httpx.Client, method: str, target: str, patience_s: float) -> str | None:
    """Whether the gateway denied the request; None if it was too busy to tell."""
    client.cookies.clear()  # a page of the shop makes a guest of nobody
    timeout_s = patience_s if "dead-letters" in target else 120
    try:
        return _outcome(client, method, target, timeout_s)
    except httpx.ReadTimeout:
        assert "dead-letters" in target, target  # these pages wait for Kafka, which does not run here
        return "allowed"


def _outcome(client: httpx.Client, method: str, target: str, timeout: float) -> str | None:
    content = b"" if method == "GET" else b"{}"
    with client.stream(method, target, content=content, timeout=timeout) as response:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return "allowed"
        response.read()
        if response.status_code == 503 and "temporary-reduced-capacity" in response.text:
            return None
        assert response.status_code != 500, f"{method} {target}: {response.text}"
        return "denied" if is_denied(response) else "allowed"


def is_denied(response: httpx.Response) -> bool:
    """Whether the gateway refused the principal. Everything else is the route's own response."""
    if response.status_code == 303 and not response.request.url.path.startswith(("/session", "/sign-out")):
        return response.headers["location"].startswith(("/sign-in", "/session/refresh"))
    if response.headers.get("content-type") != "application/problem+json":
        return False
    return response.json()["type"].removeprefix("urn:souk:problem:") in DENIALS


@pytest.mark.parametrize("name", PRINCIPALS)
def test_each_principal_uses_exactly_the_routes_of_the_table(shop: Settings, name: str) -> None:
    principal = PRINCIPALS[name]
    headers = bearer(shop, principal) if principal else {}
    wrong = []
    with client_at(shop, list(PRINCIPALS).index(name), headers) as client:
        for number, (route, (own, foreign)) in enumerate(EXPECTED.items()):
            method, path = route.split()
            for is_foreign, allowed in ((False, own), (True, foreign)):
                if allowed is None or (name in allowed and name not in asking(allowed, number)):
                    continue
                target = filled(path, principal, is_foreign)
                patience_s = 1 if name in allowed else 6  # a denial needs no Kafka, but a busy machine time
                told = await_true(lambda: outcome(client, method, target, patience_s))  # noqa: B023
                denied = told == "denied"
                if denied == (name in allowed):
                    wrong.append(f"{route} {'foreign' if is_foreign else 'own'}: {denied=}")
    assert wrong == []
