"""The admission finds the route that the router finds, for every route of the application."""

import re

import pytest
from fastapi import FastAPI
from starlette.routing import Match, Mount, Route

from common.guarded_route import GuardedRoute, all_routes
from common.settings import Settings
from serving.admission import UNKNOWN, Address, Addresses
from serving.app import create_app


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture(scope="module")
def addresses(app: FastAPI) -> Addresses:
    return Addresses(all_routes(app))


def routed(app: FastAPI, method: str, path: str) -> list[Address]:
    """Return the addresses of all routes that match; the router takes the first."""
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    return [
        Address(route.path, route.policy.shed_as if isinstance(route, GuardedRoute) else None)
        for route in all_routes(app)
        if isinstance(route, Route | Mount) and route.matches(scope)[0] is Match.FULL
    ]


def test_each_route_is_found_by_a_path_of_its_own(app: FastAPI, addresses: Addresses) -> None:
    requests = [
        (method, re.sub(r"\{[^}]*\}", "0193b0c4", route.path))
        for route in all_routes(app)
        if isinstance(route, Route)
        for method in route.methods or ()
    ]
    assert len(requests) > 200
    for method, path in requests:
        assert addresses.find(method, path) == routed(app, method, path)[0], (method, path)


def test_a_fixed_path_comes_before_a_parameter(addresses: Addresses) -> None:
    assert addresses.find("GET", "/sell/apply").route == "/sell/apply"
    assert addresses.find("GET", "/sell/someone").route == "/sell/{seller_id}"


def test_head_is_get_and_files_are_never_refused(addresses: Addresses) -> None:
    assert addresses.find("HEAD", "/shop") == addresses.find("GET", "/shop")
    assert addresses.find("GET", "/static/shop/cart.js") == Address("/static", None)


@pytest.mark.parametrize(
    "path", ["", "/", "//", "/shop//", "/v1", "*", "/" * 60_000, "/v1/orders/" + "a/" * 900]
)
def test_any_path_has_an_address(addresses: Addresses, path: str) -> None:
    assert addresses.find("GET", path).route in ("/", UNKNOWN.route)
    assert addresses.find("BREW", path) == UNKNOWN
