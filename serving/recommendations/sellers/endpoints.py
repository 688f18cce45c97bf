"""The route that recommends sellers to follow."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from serving.gateway.described_routes import guarded
from serving.kit.domain import opened
from serving.kit.parameters import reject_repeated_parameters
from serving.kit.responses import BAD_PARAMETER, private_json
from serving.kit.stores import NamesDep
from serving.recommendations.dependencies import RecommendationsDep, RecommendationsDomain
from serving.recommendations.endpoints import REDIS_UNAVAILABLE, VisitorId
from serving.recommendations.policy import POLICIES
from serving.recommendations.sellers.service import SellersToFollow

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | REDIS_UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


@router.get(
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
