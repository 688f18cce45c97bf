"""The addresses under `/v1` that show the catalogue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from serving.analytics.answers import BAD_PARAMETER, UNAVAILABLE, UNCHANGED, Answer
from serving.analytics.parameters import each_once
from serving.shop.catalogue import Catalogue
from serving.shop.documented import problem
from serving.shop.schemas.products import Categories, ProductInDetail, Products
from serving.shop.search import Sort

router = APIRouter(
    prefix="/v1", responses=BAD_PARAMETER | UNAVAILABLE | UNCHANGED, dependencies=[Depends(each_once)]
)


async def _catalogue(request: Request) -> Catalogue:
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


Shelf = Annotated[Catalogue, Depends(_catalogue)]
SearchText = Annotated[
    str,
    Query(
        max_length=80,
        pattern=PRINTABLE,
        description="Words that its name or category holds, in any order.",
        examples=["desk lamp"],
    ),
]
Category = Annotated[
    str, Query(max_length=128, pattern=PRINTABLE, description="Only of this category.", examples=["Lamps"])
]
Order = Annotated[Sort, Query(description="`best`: the best match, then the newest, first.")]
Cursor = Annotated[str, Query(max_length=800, description="`next_cursor` of the page before.")]
ProductId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=128,
        pattern=PRINTABLE,
        description="The product's id.",
        examples=["product-000001"],
    ),
]


@router.get("/products", tags=["products"], summary="Find products", response_model=Products)
async def products(
    shelf: Shelf,
    answer: Answer,
    q: SearchText = "",
    category: Category = "",
    sort: Order = "best",
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> Response:
    """Products on offer, those that are sold out included; without `q` and `category` all of them."""
    return answer(await shelf.find(q, category, sort, cursor, limit))


@router.get(
    "/products/{product_id}",
    tags=["products"],
    summary="A product",
    response_model=ProductInDetail,
    responses=problem(404, "Nobody ever listed this product."),
)
async def product(shelf: Shelf, answer: Answer, product_id: ProductId) -> Response:
    """What a product is, who sells it for how much, and how many are left."""
    return answer(await shelf.product(product_id))


@router.get("/categories", tags=["products"], summary="All categories", response_model=Categories)
async def categories(shelf: Shelf, answer: Answer) -> Response:
    """The categories that have products on offer, the largest first."""
    return answer(await shelf.categories())
