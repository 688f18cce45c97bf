"""The addresses that recommend products."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from serving.analytics.parameters import each_once
from serving.problems import MissingProduct
from serving.recommendations.schemas import Recommendations, SimilarProducts
from serving.recommendations.service import Context, RecommendationService
from serving.shop.documented import problem

BAD_PARAMETER = problem(422, "A parameter can't be used; the detail says which and why.")
UNKNOWN_PRODUCT = problem(404, "Nobody ever listed this product.")
AWAY = problem(503, "Redis does not answer; try again after `Retry-After` seconds.")

router = APIRouter(
    prefix="/v1", responses=BAD_PARAMETER | UNKNOWN_PRODUCT | AWAY, dependencies=[Depends(each_once)]
)


async def _recommendations(request: Request) -> RecommendationService:
    service: RecommendationService = request.app.state.recommendations
    return service


Service = Annotated[RecommendationService, Depends(_recommendations)]
HowMany = Annotated[int, Query(ge=1, le=50, description="How many at most.")]


@router.get(
    "/recommendations/{visitor_id}",
    tags=["recommendations"],
    summary="What to show someone next",
    response_model=Recommendations,
)
async def recommend(
    service: Service,
    visitor_id: Annotated[
        str,
        Path(
            min_length=1,
            max_length=200,
            pattern=PRINTABLE,
            description="A shopper's id, or the session of someone who has not logged in.",
            examples=["shopper-000001"],
        ),
    ],
    n: HowMany = 12,
    context: Annotated[Context, Query(description="Where the list stands.")] = "home",
    product_id: Annotated[
        str | None,
        Query(
            min_length=1, max_length=200, pattern=PRINTABLE, description="The product beside which it stands."
        ),
    ] = None,
) -> Response:
    """Follows the last click: what others looked at and bought with what this one did, else the best of the
    categories looked at, else what is popular. Whoever came a second ago gets what is popular.
    """
    if context == "product" and product_id is None:
        raise MissingProduct(
            "context=product needs the product beside which the list stands: add product_id."
        )
    return _answer(await service.recommend(visitor_id, n, context, product_id))


@router.get(
    "/products/{product_id}/similar",
    tags=["recommendations"],
    summary="What goes with a product",
    response_model=SimilarProducts,
)
async def similar(
    service: Service,
    product_id: Annotated[
        str, Path(min_length=1, max_length=200, pattern=PRINTABLE, examples=["product-000001"])
    ],
    n: HowMany = 12,
) -> Response:
    """What others looked at, put into carts and bought with it; where too few did, its category's best."""
    return _answer(await service.similar(product_id, n))


def _answer(answer: Recommendations | SimilarProducts) -> Response:
    return Response(
        orjson.dumps(answer), headers={"Cache-Control": "no-store"}, media_type="application/json"
    )
