"""Loads the rows of recommended products of a page. A page is shown without a row that can't be loaded."""

import asyncio
from collections.abc import Awaitable, Collection
from typing import TypeVar

import structlog
from fastapi import Request

from common.configuration.definitions import RECOMMENDATIONS_ENABLED
from common.errors import PartUnavailable
from common.problems import Problem
from serving.commerce.routes import CommerceDomain
from serving.gateway.gateway import GatewayDomain, identity_of
from serving.kit.cache.completeness import mark_incomplete
from serving.kit.domain import opened
from serving.kit.stores import Stores
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.schemas import Recommendations, SimilarProducts, TitledRow
from serving.recommendations.sellers_to_follow import SellerToFollow
from serving.recommendations.service import Context
from serving.recommendations.shelves import RowPage
from serving.web.storefront.visit import products_in_cart

ROW_LENGTH: dict[Context, int] = {"home": 12, "product": 6, "cart": 6}
"""The number of products in a row."""

TITLED_ROW_LENGTH = 6
"""The number of products in a row whose title says why."""

SELLERS_SHOWN = 4
"""The number of sellers to follow."""

ROW_TIMEOUT_S = 1.0
"""A row that takes longer is left out."""

T = TypeVar("T")
log = structlog.get_logger()


async def recommended(
    request: Request,
    session: str,
    surface: Context,
    product_id: str | None = None,
    shown: Collection[str] = (),
) -> Recommendations | None:
    """Return the recommendations for the visitor; None if they can't be loaded.

    The page shows the products `shown` already, in another row.
    """
    visitor = identity_of(request).visitor_id(session)
    values = opened(request, GatewayDomain).values
    if not values.is_on(RECOMMENDATIONS_ENABLED, visitor):
        return None
    length = ROW_LENGTH[surface]
    cart = products_in_cart(request)
    return await _or_none(
        opened(request, RecommendationsDomain).service.recommend(
            visitor, length, surface, product_id, shown, cart=cart
        )
    )


async def titled_rows(
    request: Request,
    session: str,
    page: RowPage,
    shown: Collection[str] = (),
    followed: frozenset[str] = frozenset(),
    cart: Collection[str] | None = None,
) -> list[TitledRow]:
    """Return the rows of a page whose titles say why; none if they can't be loaded.

    The page shows the products `shown` already. `cart` is what is in the cart, by default as the browser
    knows it.
    """
    visitor = identity_of(request).visitor_id(session)
    values = opened(request, GatewayDomain).values
    if not values.is_on(RECOMMENDATIONS_ENABLED, visitor):
        return []
    in_cart = products_in_cart(request) if cart is None else list(cart)
    rows = opened(request, RecommendationsDomain).service.titled_rows.of_page(
        visitor, TITLED_ROW_LENGTH, page, shown, followed, in_cart
    )
    found = await _or_none(rows)
    return found["rows"] if found else []


async def followed_or_none(request: Request) -> frozenset[str] | None:
    """Return the sellers that the visitor follows; None if they can't be loaded."""
    return await _or_none(opened(request, CommerceDomain).client.followed_sellers(request))


async def sellers_to_follow(
    request: Request, session: str, followed: frozenset[str] | None
) -> list[SellerToFollow]:
    """Return sellers whom the visitor does not follow; none if either can't be loaded."""
    visitor = identity_of(request).visitor_id(session)
    values = opened(request, GatewayDomain).values
    if followed is None or not values.is_on(RECOMMENDATIONS_ENABLED, visitor):
        return []
    names = opened(request, Stores).names
    cart = products_in_cart(request)
    sellers = opened(request, RecommendationsDomain).service.sellers.of(
        visitor, SELLERS_SHOWN, followed, names.of_sellers, cart
    )
    found = await _or_none(sellers)
    return found["sellers"] if found else []


async def similar(request: Request, product_id: str) -> SimilarProducts | None:
    """Return similar products; None if they can't be loaded. `page.js` gives each showing of them an id."""
    return await _or_none(
        opened(request, RecommendationsDomain).service.similar(product_id, ROW_LENGTH["product"])
    )


async def _or_none(awaitable: Awaitable[T]) -> T | None:
    try:
        return await asyncio.wait_for(awaitable, ROW_TIMEOUT_S)
    except (Problem, PartUnavailable, TimeoutError) as error:
        log.warning("a row is left out", reason=str(error))
        if isinstance(error, PartUnavailable | TimeoutError):
            mark_incomplete()
        return None
