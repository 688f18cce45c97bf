"""The routes under `/v1` that return products and categories."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE, Id
from common.openapi import openapi_problem
from serving.cache.tags import categories_tags, product_tags, products_tags
from serving.cached_responses import CachedResponderDep
from serving.catalogue.policy import POLICIES
from serving.catalogue.schemas import Categories, Category, Product, ProductInDetail, Products
from serving.catalogue.search import Sort
from serving.catalogue.service import Catalogue
from serving.gateway.described_routes import guarded
from serving.parameters import reject_repeated_parameters
from serving.responses import BAD_PARAMETER, CSV_RESPONSE, UNAVAILABLE, UNCHANGED, csv_list

PRODUCTS_CSV = csv_list("products", Product)
CATEGORIES_CSV = csv_list("categories", Category)

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED,
    dependencies=[Depends(reject_repeated_parameters)],
)


async def _catalogue(request: Request) -> Catalogue:
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


CatalogueDep = Annotated[Catalogue, Depends(_catalogue)]
SearchText = Annotated[
    str,
    Query(
        max_length=80,
        pattern=PRINTABLE,
        description="Words that the name or category of a product contains, in any order.",
        examples=["desk lamp"],
    ),
]
CategoryParam = Annotated[
    str,
    Query(
        max_length=128, pattern=PRINTABLE, description="Only products of this category.", examples=["Lamps"]
    ),
]
SortParam = Annotated[
    Sort,
    Query(
        description="`best` and `relevance`: the best match first, then the newest; without `q`, the 200 "
        "most popular first, then the newest. Nothing here is personal. A page begins behind the last "
        "product of the page before: one that moves up meanwhile, as it changes or gets popular, is on none."
    ),
]
Cursor = Annotated[str, Query(max_length=800, description="`next_cursor` of the previous page.")]
ProductId = Annotated[
    Id,
    Path(
        description="The product's id.",
        examples=["product-000001"],
    ),
]


@router.get(
    "/products", tags=["products"], summary="Find products", response_model=Products, responses=CSV_RESPONSE
)
async def products(
    catalogue: CatalogueDep,
    respond: CachedResponderDep,
    q: SearchText = "",
    category: CategoryParam = "",
    sort: SortParam = "best",
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Response:
    """Return products on offer, including sold-out ones. Without `q` and `category`, all of them match."""
    asked = (q, category, sort, cursor, limit)
    return await respond.data("products", asked, lambda: catalogue.find(*asked), products_tags, PRODUCTS_CSV)


@router.get(
    "/products/{product_id}",
    tags=["products"],
    summary="A product",
    response_model=ProductInDetail,
    responses=openapi_problem(404, "The product was never listed."),
)
async def product(catalogue: CatalogueDep, respond: CachedResponderDep, product_id: ProductId) -> Response:
    """Return a product with the offers of its sellers: price and units available."""
    return await respond.data("product", (product_id,), lambda: catalogue.product(product_id), product_tags)


@router.get(
    "/categories",
    tags=["products"],
    summary="All categories",
    response_model=Categories,
    responses=CSV_RESPONSE,
)
async def categories(catalogue: CatalogueDep, respond: CachedResponderDep) -> Response:
    """Return the categories with products on offer, the largest first."""
    return await respond.data("categories", (), catalogue.categories, categories_tags, CATEGORIES_CSV)
