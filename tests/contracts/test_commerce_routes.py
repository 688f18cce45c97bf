"""The gateway offers the public routes of the commerce services, with their policies, and no other route."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import TypeAdapter

from common.access_policy import AccessPolicy, anyone
from common.guarded_route import GuardedRoute, MissingPolicy, all_routes, guarded, policy
from common.principal import Principal
from common.settings import Settings
from producers.kit.http.guard import shopper_of
from producers.kit.http.routes import LIST_LIMIT, JsonBody, PublicRoute, ServiceRoute
from producers.registry import SERVICES
from producers.services.orders.endpoints import EXAMPLE_ORDER
from producers.services.orders.schemas import OrderRequest
from producers.services.products import imports, picture_rules
from serving.app import create_app
from serving.commerce.commerce_client import service_of
from serving.commerce.routes import commerce_router

Route = tuple[str, str]

NOT_OFFERED = {("GET", "/v1/orders/{order_id}/payment")}
"""Routes that admit people and are internal: `/v1/orders/{order_id}` contains the payment."""


def routes(router: APIRouter | FastAPI) -> Iterator[tuple[Route, GuardedRoute]]:
    """Yield every route by its method and path."""
    for route in all_routes(router):
        if isinstance(route, GuardedRoute):
            for method in route.methods or ():
                yield (method, route.path), route


OF_SERVICES = {key: (name, route) for name, each in SERVICES.items() for key, route in routes(each.router)}
PUBLIC = {key for key, (_, route) in OF_SERVICES.items() if isinstance(route, PublicRoute)}
BODIES = {
    key: route.body
    for key, (_, route) in OF_SERVICES.items()
    if isinstance(route, ServiceRoute) and route.body is not None
}
OFFERED = dict(routes(commerce_router()))
SERVED = dict(routes(create_app(Settings())))


def test_the_gateway_offers_the_public_routes_of_the_services_and_no_internal_one() -> None:
    assert len(PUBLIC) > 80
    assert OFFERED.keys() == PUBLIC
    assert SERVED.keys() & OF_SERVICES.keys() == PUBLIC


def test_every_route_for_people_is_public_and_none_for_processes_of_the_platform() -> None:
    for_people = {
        key
        for key, (_, route) in OF_SERVICES.items()
        if route.policy.public or route.policy.roles != {"platform"}
    }
    assert for_people - NOT_OFFERED == PUBLIC


@pytest.mark.parametrize("key", sorted(PUBLIC), ids=" ".join)
def test_a_route_of_the_gateway_has_the_policy_of_the_service(key: Route) -> None:
    assert SERVED[key].policy == OF_SERVICES[key][1].policy


@pytest.mark.parametrize("key", sorted(OF_SERVICES), ids=" ".join)
def test_a_request_reaches_the_service_that_has_its_route(key: Route) -> None:
    method, path = key
    assert service_of(method, f"{path}?limit=1") == OF_SERVICES[key][0]


def test_a_request_for_which_no_service_has_a_route_is_a_bug() -> None:
    with pytest.raises(LookupError, match="no commerce service has a route for DELETE /v1/orders"):
        service_of("DELETE", "/v1/orders")


def router_with(route_class: type[GuardedRoute], checked: AccessPolicy) -> APIRouter:
    router = APIRouter(route_class=route_class)

    @router.get("/v1/new")
    @policy(checked)
    async def new() -> None:
        """Do nothing."""

    return router


@pytest.mark.parametrize(
    ("route_class", "is_offered"),
    [
        (PublicRoute, True),
        (ServiceRoute, False),
        (GuardedRoute, False),
        (guarded({"new": anyone("read")}), False),
    ],
)
def test_only_a_route_that_is_marked_as_public_is_offered(
    route_class: type[GuardedRoute], is_offered: bool
) -> None:
    service = replace(SERVICES["payments"], router=router_with(route_class, anyone("read")))

    offered = dict(routes(commerce_router({"payments": service})))

    assert offered.keys() == ({("GET", "/v1/new")} if is_offered else set())


@pytest.mark.parametrize("route_class", [ServiceRoute, PublicRoute])
def test_a_route_of_a_service_without_a_policy_does_not_start(route_class: type[ServiceRoute]) -> None:
    router = APIRouter(route_class=route_class)

    with pytest.raises(MissingPolicy, match="/forgotten has no policy"):

        @router.get("/forgotten")
        async def forgotten() -> None:
            """Do nothing."""


@pytest.mark.parametrize(
    "key", sorted(key for key, body in BODIES.items() if key in PUBLIC and body.is_json), ids=" ".join
)
def test_the_example_of_a_body_is_one_that_the_service_accepts(key: Route) -> None:
    TypeAdapter(BODIES[key].model).validate_json(TypeAdapter(object).dump_json(BODIES[key].example))


def test_the_example_of_an_order_is_one_that_anybody_may_place() -> None:
    request = OrderRequest.model_validate(EXAMPLE_ORDER)

    for principal in (
        Principal("guest:g1", frozenset({"guest"}), ("g1",)),
        Principal("person-1", frozenset({"shopper"}), ("shopper-9",), session_id="s"),
    ):
        assert shopper_of(request.shopper_id, principal) == principal.shopper_id


def test_only_lists_and_files_may_have_large_bodies() -> None:
    assert {key for key, body in BODIES.items() if body.limit != JsonBody().limit} == {
        ("POST", "/v1/orders"),
        ("POST", "/v1/orders/quotes"),
        ("PUT", "/v1/stock"),
        ("PUT", "/v1/sellers/{seller_id}/costs"),
        ("POST", "/v1/sellers/{seller_id}/pictures"),
        ("POST", "/v1/sellers/{seller_id}/listing_imports"),
    }
    limits = {JsonBody().limit, LIST_LIMIT, picture_rules.MAX_BYTES, imports.MAX_BYTES}
    assert {body.limit for body in BODIES.values()} == limits
