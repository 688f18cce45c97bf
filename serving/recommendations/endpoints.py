"""The routes under `/v1` that return recommendations, personal lists, and sellers to follow."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.configuration.definitions import RECOMMENDATIONS_ENABLED
from common.ids import Id
from common.openapi import openapi_problem
from common.problems import problem
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import GatewayDomain, identity_of
from serving.kit.cache.keys import products_tags, similar_tags
from serving.kit.cached_responses import CachedResponder, CachedResponderDep
from serving.kit.domain import opened, part_of
from serving.kit.parameters import (
    CategoryParam,
    SearchText,
    reject_repeated,
    reject_repeated_parameters,
)
from serving.kit.problems import (
    MISSING_PRODUCT,
    SEARCH_UNAVAILABLE,
    UNUSABLE_PARAMETER,
    ClickHouseUnavailable,
    CommerceUnavailable,
)
from serving.kit.product_filters import Filters, FiltersDep
from serving.kit.product_lists import ProductLists
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, UNCHANGED, private_json
from serving.kit.stores import NamesDep
from serving.recommendations.dependencies import RecommendationsDep, RecommendationsDomain
from serving.recommendations.listings import (
    MAX_CURSOR,
    WINDOW,
    PersonalCursor,
    PersonalListings,
    PersonalProducts,
)
from serving.recommendations.policy import POLICIES
from serving.recommendations.request_builder import KnownVisitor
from serving.recommendations.schemas import Recommendations, SimilarProducts, TitledRows
from serving.recommendations.sellers_to_follow import SellersToFollow
from serving.recommendations.service import Context
from serving.recommendations.shelves import RowPage

NOT_EXPLAINED = problem(
    403,
    "not-explained",
    "The rules are not explained to you",
    "Only processes of the platform may add `explain`: leave it out. Administrators see what the rules do "
    "under /admin/recommendations.",
)

MAX_EXCLUDED = 100
"""The largest number of products that a request may exclude."""

MAX_CHARACTERS = 8_000

Exclude = Annotated[
    str,
    Query(
        max_length=MAX_CHARACTERS,
        description="Ids of products that the page shows already, separated by commas: "
        f"at most {MAX_EXCLUDED}. They are not recommended. A comma or a per cent sign in an id is written "
        "`%2C` or `%25`, before the whole list is written into the address.",
        examples=["product-000007,product-000023"],
    ),
]


def excluded_products(exclude: str) -> list[str]:
    """Return the products of the parameter `exclude`.

    Raises:
        UNUSABLE_PARAMETER: they are more than `MAX_EXCLUDED`.
    """
    product_ids = [unquote(each) for each in exclude.split(",") if each]
    if len(product_ids) > MAX_EXCLUDED:
        raise UNUSABLE_PARAMETER(
            detail=f"exclude has {len(product_ids)} products: give at most {MAX_EXCLUDED}."
        )
    return product_ids


UNKNOWN_PRODUCT = openapi_problem(404, "The product was never listed.")
REDIS_UNAVAILABLE = openapi_problem(503, "Redis does not answer; try again after `Retry-After` seconds.")

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNKNOWN_PRODUCT | REDIS_UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


VisitorId = Annotated[
    Id,
    Path(
        description="The id of a shopper, or the session id of a visitor who is not logged in.",
        examples=["shopper-000001"],
    ),
]
ItemCount = Annotated[int, Query(ge=1, le=50, description="The largest number of products to return.")]


@router.get(
    "/recommendations/{visitor_id}",
    tags=["recommendations"],
    summary="Recommend products to a visitor",
    response_model=Recommendations,
)
async def recommend(
    request: Request,
    service: RecommendationsDep,
    visitor_id: VisitorId,
    n: ItemCount = 12,
    context: Annotated[Context, Query(description="The page on which the list is shown.")] = "home",
    product_id: Annotated[
        Id | None,
        Query(description="The product of the page."),
    ] = None,
    exclude: Exclude = "",
    explain: Annotated[
        bool,
        Query(description="Add what each rule of the shop did. For the platform's processes."),
    ] = False,
) -> Response:
    """Return products that go with what this visitor viewed and bought.

    What others viewed and bought together until a moment ago is blended with a trained model, which is
    trained every night, and with what is popular in the viewed categories. Without a model, the list has the
    rest; `parts` says so. If there are too few, popular products follow. A new visitor gets popular products.
    The rules of the shop may remove, move and insert products.
    """
    shown = excluded_products(exclude)
    if context == "product" and product_id is None:
        raise MISSING_PRODUCT(detail="context=product needs the product of the page: add product_id.")
    principal = identity_of(request).principal
    if explain and (principal is None or "platform" not in principal.roles):
        raise NOT_EXPLAINED()
    return private_json(await service.recommend(visitor_id, n, context, product_id, shown, explain=explain))


@router.get(
    "/recommendations/{visitor_id}/rows",
    tags=["recommendations"],
    summary="Rows of recommendations with titles",
    response_model=TitledRows,
)
async def rows(
    request: Request,
    service: RecommendationsDep,
    visitor_id: VisitorId,
    n: ItemCount = 12,
    page: Annotated[RowPage, Query(description="The page on which the rows are shown.")] = "home",
    exclude: Exclude = "",
) -> Response:
    """Return rows whose titles say why: what the visitor may buy again, what goes with a product, a category.

    No product is in two rows. A row is left out if the visitor's history has nothing that it could be about,
    or if too few products are found. The rules of the shop may remove products. No product is pinned or
    sponsored in these rows.
    """
    shown = excluded_products(exclude)
    try:
        followed = await opened(request, RecommendationsDomain).followed_sellers(request)
    except CommerceUnavailable:
        followed = frozenset()
    return private_json(await service.titled_rows.of_page(visitor_id, n, page, shown, followed))


@router.get(
    "/products/{product_id}/similar",
    tags=["recommendations"],
    summary="Products that go with a product",
    response_model=SimilarProducts,
    responses=UNCHANGED,
)
async def similar(
    service: RecommendationsDep,
    respond: CachedResponderDep,
    product_id: Annotated[Id, Path(examples=["product-000001"])],
    n: ItemCount = 12,
) -> Response:
    """Return products that others viewed, carted and bought with this one, then the best of its category."""
    asked = (product_id, n)
    return await respond.data(
        "similar", (*asked, service.rules.digest()), lambda: service.similar(*asked), similar_tags
    )


listings_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated("attribute"))],
)

ListingCursor = Annotated[
    str, Query(max_length=MAX_CURSOR, description="`next_cursor` of the previous page.")
]


ListingsDep = Annotated[
    PersonalListings, Depends(part_of(RecommendationsDomain, lambda domain: domain.service.listings))
]
ProductListsDep = Annotated[
    ProductLists, Depends(part_of(RecommendationsDomain, lambda domain: domain.product_lists))
]


@listings_router.get(
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
    filters: FiltersDep,
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
    wanted = replace(filters, category=category)
    return private_json(await personal_page(products, respond, listings, known, q, wanted, cursor, limit))


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
    filters: Filters,
    cursor: str | None,
    limit: int,
) -> PersonalProducts:
    """Return a page of a list for a visitor. The window is the same for everybody, so it is cached.

    Raises:
        BadCursor: `cursor` is not a `next_cursor` of this list.
        SEARCH_UNAVAILABLE: ClickHouse does not answer, or there is no index, which knows filters.
    """
    if cursor and not PersonalCursor.is_one(cursor):
        return await _behind_window(products, text, filters, cursor, limit)
    after = PersonalCursor.decode(cursor) if cursor else None
    window_of = (text, filters, after.until if after else None, WINDOW)
    parts = (products.lists_version, *window_of)
    try:
        window = await respond.content(
            "listing_window", parts, lambda: products.window(*window_of), products_tags
        )
    except ClickHouseUnavailable as error:
        if after:
            raise SEARCH_UNAVAILABLE() from error
        return await _behind_window(products, text, filters, None, limit)
    return await listings.page(known, window, after, limit)


async def _behind_window(
    products: ProductLists, text: str, filters: Filters, cursor: str | None, limit: int
) -> PersonalProducts:
    """Return a page in the order of everybody."""
    page = await products.find(text, filters.category, "best", cursor, limit, filters)
    return {
        "personalised": False,
        "model_version": None,
        "as_of": None,
        "parts": [],
        "found": page["found"],
        "products": [{**product, "reason": None} for product in page["products"]],
        "next_cursor": page["next_cursor"],
    }


sellers_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | REDIS_UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


@sellers_router.get(
    "/recommendations/{visitor_id}/sellers",
    tags=["recommendations"],
    summary="Recommend sellers to follow",
    response_model=SellersToFollow,
)
async def sellers_to_follow(
    request: Request,
    service: RecommendationsDep,
    names: NamesDep,
    visitor_id: VisitorId,
    n: Annotated[int, Query(ge=1, le=20, description="The largest number of sellers to return.")] = 6,
) -> Response:
    """Return sellers of what the visitor viewed and bought, and of what goes with it.

    Those whom the person who sends the request follows already are left out. A seller is there for a product
    of the visitor, which `reason` names. Suspended and blocked sellers, and those who have nothing in stock
    that fits, are left out.
    """
    followed = await opened(request, RecommendationsDomain).followed_sellers(request)
    return private_json(await service.sellers.of(visitor_id, n, followed, names.of_sellers))
