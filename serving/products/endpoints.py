"""The routes under `/v1` that return products and categories."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import astuple
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from common.access_policy import AccessPolicy, anyone
from common.openapi import openapi_problem
from common.settings import Settings
from serving.gateway.described_routes import guarded
from serving.kit.cache.keys import categories_tags, found_tags, product_tags, suggestions_tags
from serving.kit.cached_responses import CachedResponderDep
from serving.kit.domain import DomainDefinition, reads
from serving.kit.parameters import CategoryParam, ProductId, SearchText, reject_repeated
from serving.kit.product_cards import read_known_stock
from serving.kit.product_filters import FiltersDep
from serving.kit.product_lists import Categories, Category, Product
from serving.kit.responses import BAD_PARAMETER, CSV_RESPONSE, UNAVAILABLE, UNCHANGED, csv_list
from serving.kit.shared_queries import SharedQueries
from serving.kit.stores import Stores
from serving.products.indexed import FoundProducts, IndexedProducts, Suggestions
from serving.products.popular_searches import PopularSearches
from serving.products.search.index import LiveIndex, search_folder
from serving.products.search.query import Sort
from serving.products.service import ProductInDetail, ProductsService

POLICIES: Mapping[str, AccessPolicy] = {
    "products": anyone("read"),
    "suggestions": anyone("read"),
    "product": anyone("read"),
    "categories": anyone("read"),
}
"""Who may see what is for sale: everybody."""


PRODUCTS_CSV = csv_list("products", Product)
CATEGORIES_CSV = csv_list("categories", Category)

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated("attribute"))],
)


ProductsDep = Annotated[ProductsService, Depends(reads(ProductsService))]
SortParam = Annotated[
    Sort,
    Query(
        description="`best` and `relevance`: products in stock first, then the best match, then what sells, "
        "then the newest. Nothing here is personal. A page begins behind the last product of the page "
        "before: one that moves up meanwhile, as it changes or sells, is on none."
    ),
]
Cursor = Annotated[str, Query(max_length=800, description="`next_cursor` of the previous page.")]


@router.get(
    "/products",
    tags=["products"],
    summary="Find products",
    response_model=FoundProducts,
    responses=CSV_RESPONSE,
)
async def products(
    products: ProductsDep,
    respond: CachedResponderDep,
    filters: FiltersDep,
    q: SearchText = "",
    category: CategoryParam = "",
    sort: SortParam = "best",
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    facets: Annotated[
        bool, Query(description="Whether to count what each further filter would leave.")
    ] = False,
) -> Response:
    """Return products on offer, including sold-out ones. Without `q` and `category`, all of them match.

    Variants of a product are one entry: the best offer of those that fit the filters. Words are found in
    names, categories and attributes in English and Portuguese, names of sellers and descriptions, whatever
    their case, accents and plurals. If few products match, `tried` says how the search was widened.
    """
    asked = (q, category, sort, cursor, limit)
    find = partial(products.find, *asked, filters, facets)
    parts = (products.lists_version, *asked, *astuple(filters), facets)
    return await respond.data("products", parts, find, found_tags, PRODUCTS_CSV)


@router.get(
    "/products/suggestions",
    tags=["products"],
    summary="What a shopper may be typing",
    response_model=Suggestions,
)
async def suggestions(
    products: ProductsDep,
    respond: CachedResponderDep,
    q: SearchText,
    limit: Annotated[int, Query(ge=1, le=10, description="The largest number of each kind.")] = 5,
) -> Response:
    """Return searches, products, categories and sellers for a text whose last word may be unfinished."""
    return await respond.data(
        "suggestions",
        (products.lists_version, q, limit),
        lambda: products.suggestions(q, limit),
        suggestions_tags,
    )


@router.get(
    "/products/{product_id}",
    tags=["products"],
    summary="A product",
    response_model=ProductInDetail,
    responses=openapi_problem(404, "The product was never listed, or may not be sold."),
)
async def product(products: ProductsDep, respond: CachedResponderDep, product_id: ProductId) -> Response:
    """Return a product with the offers of its sellers: price and units available."""
    return await respond.data("product", (product_id,), lambda: products.product(product_id), product_tags)


@router.get(
    "/categories",
    tags=["products"],
    summary="All categories",
    response_model=Categories,
    responses=CSV_RESPONSE,
)
async def categories(products: ProductsDep, respond: CachedResponderDep) -> Response:
    """Return the categories with products on offer, the largest first."""
    return await respond.data("categories", (), products.categories, categories_tags, CATEGORIES_CSV)


@asynccontextmanager
async def _open(settings: Settings, stores: Stores) -> AsyncIterator[ProductsService]:
    """Return the products on offer."""
    yield ProductsService(
        stores.clickhouse,
        stores.versions,
        stores.names,
        settings.shop_currency,
        stores.last_answers,
        IndexedProducts(
            LiveIndex(search_folder(settings)),
            settings.shop_currency,
            partial(read_known_stock, stores.versions),
        ),
        PopularSearches(SharedQueries(stores.clickhouse, stores.redis)),
    )


PRODUCTS = DomainDefinition((router,), _open)
