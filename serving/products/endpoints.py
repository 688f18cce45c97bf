"""The routes under `/v1` that return products and categories."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from common.access_policy import AccessPolicy, anyone
from common.openapi import openapi_problem
from serving.gateway.described_routes import guarded
from serving.kit.cache.keys import categories_tags, product_tags, products_tags
from serving.kit.cached_responses import CachedResponderDep
from serving.kit.domain import DomainDefinition, reads
from serving.kit.parameters import CategoryParam, ProductId, SearchText, reject_repeated_parameters
from serving.kit.product_lists import Categories, Category, Product, Products
from serving.kit.responses import BAD_PARAMETER, CSV_RESPONSE, UNAVAILABLE, UNCHANGED, csv_list
from serving.kit.stores import Stores
from serving.products.service import ProductInDetail, ProductsService, Sort

POLICIES: Mapping[str, AccessPolicy] = {
    "products": anyone("read"),
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
    dependencies=[Depends(reject_repeated_parameters)],
)


ProductsDep = Annotated[ProductsService, Depends(reads(ProductsService))]
SortParam = Annotated[
    Sort,
    Query(
        description="`best` and `relevance`: the best match first, then the newest; without `q`, the 200 "
        "most popular first, then the newest. Nothing here is personal. A page begins behind the last "
        "product of the page before: one that moves up meanwhile, as it changes or gets popular, is on none."
    ),
]
Cursor = Annotated[str, Query(max_length=800, description="`next_cursor` of the previous page.")]


@router.get(
    "/products", tags=["products"], summary="Find products", response_model=Products, responses=CSV_RESPONSE
)
async def products(
    products: ProductsDep,
    respond: CachedResponderDep,
    q: SearchText = "",
    category: CategoryParam = "",
    sort: SortParam = "best",
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Response:
    """Return products on offer, including sold-out ones. Without `q` and `category`, all of them match."""
    asked = (q, category, sort, cursor, limit)
    return await respond.data("products", asked, lambda: products.find(*asked), products_tags, PRODUCTS_CSV)


@router.get(
    "/products/{product_id}",
    tags=["products"],
    summary="A product",
    response_model=ProductInDetail,
    responses=openapi_problem(404, "The product was never listed."),
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
async def _open(stores: Stores, currency: str) -> AsyncIterator[ProductsService]:
    """Return the products on offer. `currency` is the shop's."""
    yield ProductsService(stores.clickhouse, stores.versions, stores.names, currency, stores.last_answers)


PRODUCTS = DomainDefinition((router,), _open)
