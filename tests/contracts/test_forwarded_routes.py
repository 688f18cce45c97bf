"""Each route that forwards to a commerce service has the policy of the service's own route."""

import pytest
from fastapi import APIRouter

from common.access_policy import AccessPolicy
from common.guarded_route import GuardedRoute, all_routes
from common.settings import Settings
from producers.registry import SERVICES
from serving.app import create_app
from serving.commerce import alert_routes, gateway, identity_routes, seller_routes, settings_routes
from serving.commerce.commerce_client import service_of

Route = tuple[str, str]

NOT_FORWARDED = {("GET", "/v1/orders/{order_id}/payment")}  # `/v1/orders/{order_id}` contains it


def policies(*routers: APIRouter) -> dict[Route, AccessPolicy]:
    """Return the policy of each method and path."""
    return {
        (method, route.path): route.policy
        for router in routers
        for route in all_routes(router)
        if isinstance(route, GuardedRoute)
        for method in route.methods or ()
    }


SERVICE_POLICIES = policies(*(service.router for service in SERVICES.values()))
FORWARDED = policies(
    gateway.router,
    identity_routes.router,
    identity_routes.people_router,
    seller_routes.router,
    alert_routes.router,
    settings_routes.router,
)


@pytest.mark.parametrize("route", sorted(FORWARDED), ids=" ".join)
def test_a_forwarded_route_has_the_policy_of_the_service(route: Route) -> None:
    assert FORWARDED[route] == SERVICE_POLICIES[route]


@pytest.mark.parametrize("route", sorted(FORWARDED), ids=" ".join)
def test_a_forwarded_route_reaches_the_service_that_has_it(route: Route) -> None:
    (owner,) = (name for name, service in SERVICES.items() if route in policies(service.router))
    assert service_of(route[1]) == owner


def test_every_route_for_people_is_forwarded() -> None:
    for_people = {
        route for route, policy in SERVICE_POLICIES.items() if policy.public or policy.roles != {"platform"}
    }
    assert for_people - NOT_FORWARDED == set(FORWARDED)


def test_routes_for_processes_of_the_platform_are_not_forwarded() -> None:
    internal = {
        route
        for route, policy in SERVICE_POLICIES.items()
        if not policy.public and policy.roles == {"platform"}
    }
    served = policies(create_app(Settings()).router)

    assert ("POST", "/v1/orders/exports") in internal
    assert ("GET", "/v1/orders") in served
    assert served.keys().isdisjoint(internal)
