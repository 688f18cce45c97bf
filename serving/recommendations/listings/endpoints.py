"""The route of the list of a search or a category in an order that fits the visitor."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from common.configuration.definitions import RECOMMENDATIONS_ENABLED
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import GatewayDomain
from serving.kit.cache.keys import products_tags
from serving.kit.cached_responses import CachedResponder, CachedResponderDep
from serving.kit.domain import opened
from serving.kit.parameters import CategoryParam, SearchText, reject_repeated_parameters
from serving.kit.problems import SEARCH_UNAVAILABLE, ClickHouseUnavailable
from serving.kit.product_lists import ProductLists
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, private_json
from serving.recommendations.dependencies import RecommendationsDep, RecommendationsDomain
from serving.recommendations.endpoints import VisitorId
from serving.recommendations.known_visitors import KnownVisitor
from serving.recommendations.listings.service import (
    MAX_CURSOR,
    WINDOW,
    PersonalCursor,
    PersonalListings,
    PersonalProducts,
)
from serving.recommendations.policy import POLICIES

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)

ListingCursor = Annotated[
    str, Query(max_length=MAX_CURSOR, description="`next_cursor` of the previous page.")
]


async def _listings(service: RecommendationsDep) -> PersonalListings:
    return service.listings


async def _product_lists(request: Request) -> ProductLists:
    return opened(request, RecommendationsDomain).product_lists


ListingsDep = Annotated[PersonalListings, Depends(_listings)]
ProductListsDep = Annotated[ProductLists, Depends(_product_lists)]


@router.get(
    "/recommendations/{visitor_id}/products",
    tags=["recommendations"],
    summary="Find products, in an order that fits a visitor",
    response_model=PersonalProducts,
)
async def personal_products(
    request: Request,
    products: ProductListsDep,
    respond: CachedResponderDep,
    listings: ListingsDep,
    visitor_id: VisitorId,
    q: SearchText = "",
    category: CategoryParam = "",
    cursor: ListingCursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Response:
    """Return the products that `/v1/products` finds. The first 240 are sorted for the visitor.

    Better matches of a search stay before worse ones. Equally good ones are sorted by what goes with the
    visitor's products, by popularity, and by the visitor's sellers, categories and prices. Pages have each
    product once, although the order may change between them. Without a history, and for the hold-out, the
    order is that of `/v1/products`, which is never personal; `personalised` says so.
    """
    known = await known_visitor(request, listings, visitor_id, category)
    page = await personal_page(products, respond, listings, known, q, category, cursor, limit)
    return private_json(page)


async def known_visitor(
    request: Request, listings: PersonalListings, visitor_id: str, category: str
) -> KnownVisitor | None:
    """Return the visitor, unless nothing is known or recommendations are turned off for them."""
    if not opened(request, GatewayDomain).values.is_on(RECOMMENDATIONS_ENABLED, visitor_id):
        return None
    return await listings.known(visitor_id, category)


async def personal_page(
    products: ProductLists,
    respond: CachedResponder,
    listings: PersonalListings,
    known: KnownVisitor | None,
    text: str,
    category: str,
    cursor: str | None,
    limit: int,
) -> PersonalProducts:
    """Return a page of a list for a visitor. The window is the same for everybody, so it is cached.

    Raises:
        BadCursor: `cursor` is not a `next_cursor` of this list.
        SEARCH_UNAVAILABLE: ClickHouse does not answer.
    """
    if cursor and not PersonalCursor.is_one(cursor):
        return await _behind_window(products, text, category, cursor, limit)
    after = PersonalCursor.decode(cursor) if cursor else None
    window_of = (text, category, after.until if after else None, WINDOW)
    try:
        window = await respond.content(
            "listing_window", window_of, lambda: products.window(*window_of), products_tags
        )
    except ClickHouseUnavailable as error:
        if after:
            raise SEARCH_UNAVAILABLE() from error
        return await _behind_window(products, text, category, None, limit)
    return await listings.page(known, window, after, limit)


async def _behind_window(
    products: ProductLists, text: str, category: str, cursor: str | None, limit: int
) -> PersonalProducts:
    """Return a page in the order of everybody."""
    page = await products.find(text, category, "best", cursor, limit)
    return {
        "personalised": False,
        "model_version": None,
        "as_of": None,
        "parts": [],
        "found": page["found"],
        "products": [{**product, "reason": None} for product in page["products"]],
        "next_cursor": page["next_cursor"],
    }
