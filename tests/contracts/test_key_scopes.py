"""The scopes that an API key needs for each route: written by hand, and compared with all policies."""

from collections.abc import Mapping
from itertools import combinations
from typing import Literal

import pytest

from common.access_policy import AccessPolicy, NotAllowed
from common.guarded_route import GuardedRoute, all_routes
from common.principal import Principal
from common.settings import Settings
from producers.registry import SERVICES
from producers.services.sellers.api_keys import KEY_ROLE, SCOPES
from serving.app import create_app

SELLER = "/v1/sellers/{seller_id}"

FIGURES = """
GET {seller}/sales
GET {seller}/sales/change
GET {seller}/products/top
GET {seller}/products/price-changes
GET {seller}/products/price-changes/export.csv
GET {seller}/products/bought-together
GET {seller}/products/bought-together/export.csv
GET {seller}/customers/cohorts
GET {seller}/customers/cohorts/export.csv
GET {seller}/customers/segments
GET {seller}/customers/segments/export.csv
GET {seller}/signals
GET {seller}/metrics/live
GET {seller}/analytics/recommendation_uplift
GET {seller}/analytics/{metric}
GET {seller}/analytics/{metric}/export.csv
GET {seller}/analytics/{metric}/export.parquet
GET {seller}/alerts
GET {seller}/alerts/messages
GET {seller}/reports
GET {seller}/views
"""
ORDERS = """
GET {seller}/orders
GET {seller}/tasks
GET {seller}/parcels/due
GET {seller}/parcels/due/export.csv
GET {seller}/reviews
GET {seller}/reviews/export.csv
"""
FIGURES_AND_ORDERS = """
GET {seller}/analytics/{metric}/rows
GET {seller}/analytics/{metric}/rows/export.csv
GET {seller}/analytics/{metric}/rows/export.parquet
POST {seller}/sql
"""
LISTINGS_READ = """
GET {seller}/listings
GET {seller}/listings/{product_id}
GET {seller}/listings/{product_id}/prices
GET {seller}/holiday
GET {seller}/listings.csv
GET {seller}/listing_imports
GET {seller}/listing_imports/{import_id}
GET {seller}/listing_imports/{import_id}/report.csv
GET {seller}/pictures/{picture_id}
"""
LISTINGS_WRITTEN = """
POST {seller}/listings
PUT {seller}/listings/{product_id}
DELETE {seller}/listings/{product_id}
PUT {seller}/listings/{product_id}/price
POST {seller}/offers
PUT {seller}/offers/{product_id}
PUT {seller}/holiday
DELETE {seller}/holiday
POST {seller}/listing_imports
POST {seller}/pictures
"""
TABLE: Mapping[tuple[str, ...], str] = {
    ("analytics:read",): FIGURES,
    ("orders:read",): ORDERS,
    ("analytics:read", "orders:read"): FIGURES_AND_ORDERS,
    ("stock:write",): "PUT /v1/stock\nPUT /v1/products/{product_id}/stock",
    ("listings:read",): LISTINGS_READ,
    ("listings:write",): LISTINGS_WRITTEN,
    ("profile:read",): "GET {seller}/profile",
    ("profile:write",): "PATCH {seller}/profile",
    ("staff:read",): "GET {seller}/staff",
    ("commission:read",): "GET {seller}/commission",
    ("costs:read",): "GET {seller}/costs\nGET {seller}/costs.csv",
    ("costs:write",): "PUT {seller}/costs",
    ("vouchers:read",): "GET {seller}/vouchers",
    ("vouchers:write",): "POST {seller}/vouchers\nPOST {seller}/vouchers/{voucher_id}/end",
}
NEEDED = {
    line.replace("{seller}", SELLER): frozenset(scopes)
    for scopes, lines in TABLE.items()
    for line in lines.strip().splitlines()
}


def policies(where: Literal["api", "services"]) -> dict[str, AccessPolicy]:
    """Return the policy of every route of the API, or of the commerce services, that is not for everybody."""
    settings = Settings(internal_secret="for tests")  # type: ignore[arg-type]  # pydantic converts it
    routers = [create_app(settings)] if where == "api" else [each.router for each in SERVICES.values()]
    return {
        f"{method} {route.path}": route.policy
        for router in routers
        for route in all_routes(router)  # type: ignore[arg-type]
        if isinstance(route, GuardedRoute) and not route.policy.public
        for method in route.methods or ()
    }


def is_allowed(policy: AccessPolicy, scopes: frozenset[str]) -> bool:
    key = Principal("key:1", frozenset({"seller"}), sellers={"ana": KEY_ROLE}, scopes=scopes)
    try:
        policy.authorize(key, {"seller_id": "ana"})
    except NotAllowed:
        return False
    return True


@pytest.mark.parametrize("where", ["api", "services"])
def test_a_key_may_use_a_route_only_with_every_scope_that_it_needs(where: Literal["api", "services"]) -> None:
    sets = [frozenset(some) for size in (0, 1, 2) for some in combinations(SCOPES, size)]
    wrong = [
        f"{route} with {sorted(scopes)}: {allowed}"
        for route, policy in policies(where).items()
        for scopes in [*sets, frozenset(SCOPES)]
        if (allowed := is_allowed(policy, scopes)) != (route in NEEDED and NEEDED[route] <= scopes)
    ]
    assert wrong == []


def test_the_table_names_no_route_that_is_gone_and_every_scope() -> None:
    assert NEEDED.keys() <= policies("api").keys()
    assert {scope for scopes in NEEDED.values() for scope in scopes} == set(SCOPES)
