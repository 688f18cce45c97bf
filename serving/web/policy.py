"""The routers of pages, and who may open them."""

from collections.abc import Callable, Collection
from typing import Any

from fastapi import APIRouter, Depends, Request

from common.access_policy import (
    ALL_STAFF,
    AccessPolicy,
    NotAllowed,
    NotYours,
    SignInRequired,
    allow,
    anyone,
)
from common.guarded_route import policy, policy_of
from common.principal import FIGURES_STAFF, Principal, Role
from producers.services.alerts.model import WRITERS
from producers.services.inventory.endpoints import STOCK_KEEPERS
from producers.services.sellers.model import STAFF_MANAGERS
from serving.gateway.described_routes import DescribedRoute
from serving.kit.domain import opened
from serving.kit.parameters import reject_repeated
from serving.web.renderer import PageRenderer

ANYBODY = anyone("page")


OF_SELLER = allow(
    *("seller", "analyst", "admin", "platform"),
    traffic="page",
    staff=FIGURES_STAFF,
    seller_parameter="seller_id",
)

OF_ALL_STAFF = allow(
    "seller", "analyst", "admin", "platform", traffic="page", staff=ALL_STAFF, seller_parameter="seller_id"
)

OF_MANAGERS = allow("seller", "admin", traffic="write", staff=WRITERS, seller_parameter="seller_id")

OF_STOCK_KEEPERS = allow(
    "seller", "admin", traffic="write", staff=STOCK_KEEPERS.staff, seller_parameter="seller_id"
)

OF_STAFF = allow("seller", "admin", traffic="page", seller_parameter="seller_id")
"""All staff of a seller, and administrators, but nobody who only reads figures."""

SETTINGS_READERS = allow(
    "seller", "admin", traffic="page", staff=STAFF_MANAGERS, seller_parameter="seller_id"
)
SETTINGS_WRITERS = allow(
    "seller", "admin", traffic="write", staff=STAFF_MANAGERS, seller_parameter="seller_id"
)
COSTS_READERS = allow(
    "seller", "admin", traffic="page", staff=(*STAFF_MANAGERS, "analyst"), seller_parameter="seller_id"
)

MARKETPLACE_READERS: frozenset[Role] = frozenset({"analyst", "admin", "platform"})
"""Who sees the marketplace's figures on the start page."""


async def know_categories(request: Request) -> None:
    """Let pages show the present names of categories."""
    await opened(request, PageRenderer).categories.refresh(request)


def page_router(default: AccessPolicy, prefix: str = "", repeated: Collection[str] = ()) -> APIRouter:
    """Return a router of pages. A route whose endpoint has no policy (`@policy`) has the default one.

    Only the query parameters `repeated` may be given more than once.
    """

    class PageRoute(DescribedRoute):
        """A route of these pages."""

        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
            if policy_of(endpoint) is None:
                endpoint = policy(default)(endpoint)
            super().__init__(path, endpoint, **options)

    return APIRouter(
        prefix=prefix,
        route_class=PageRoute,
        include_in_schema=False,
        dependencies=[Depends(reject_repeated(*repeated)), Depends(know_categories)],
    )


def may_manage(principal: Principal | None, seller_id: str) -> bool:
    """Return whether a principal may open the settings of a seller."""
    if principal is None or principal.scopes is not None:
        return False
    return "admin" in principal.roles or principal.sellers.get(seller_id) in STAFF_MANAGERS


def admits(access: AccessPolicy, principal: Principal | None, seller_id: str) -> bool:
    """Return whether a policy lets a principal use a route of a seller."""
    try:
        access.authorize(principal, {"seller_id": seller_id})
    except (NotAllowed, NotYours, SignInRequired):
        return False
    return True
