"""The route about the health of recommendations."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from common.openapi import openapi_problem
from serving.gateway.described_routes import guarded
from serving.kit.domain import opened
from serving.kit.parameters import PeriodDep, reject_repeated_parameters
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, private_json
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.health import schemas
from serving.recommendations.health.service import HealthRequest, RecommendationHealthService
from serving.recommendations.policy import POLICIES

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)

Surface = Literal["home", "product", "cart", "order", "email"]


async def _health(request: Request) -> RecommendationHealthService:
    return opened(request, RecommendationsDomain).health


# Before `/admin/recommendations/{recommendation_id}`, which would take `health` for an id.
@router.get(
    "/admin/recommendations/health",
    tags=["experiments"],
    summary="The fairness and the health of recommendations",
    response_model=schemas.RecommendationHealth,
    responses=openapi_problem(404, "There is no experiment of this name."),
)
async def recommendation_health(
    service: Annotated[RecommendationHealthService, Depends(_health)],
    period: PeriodDep,
    surface: Annotated[
        Surface | None, Query(description="The page of the lists, or `email`. Default: all.")
    ] = None,
    strategy: Annotated[
        str | None,
        Query(max_length=60, description="The strategy of the lists, or the name of a titled row."),
    ] = None,
    experiment: Annotated[
        str | None,
        Query(max_length=60, pattern=PRINTABLE, description="Only lists of this experiment, or `holdout`."),
    ] = None,
    arm: Annotated[
        str | None,
        Query(max_length=60, pattern=PRINTABLE, description="Only lists of this arm of `experiment`."),
    ] = None,
    top: Annotated[int, Query(ge=1, le=100, description="The number of sellers and categories.")] = 20,
) -> Response:
    """Return who is shown beside what is on offer, coverage, popularity, variety, clicks, and fallbacks.

    Exposure is that of lists that came into view, weighted by position; times and fallbacks are those of all
    answers. It is not known whether the lists of a mail were seen, so they have answers and clicks, and no
    exposure. Every figure is there for each day, too, so that drift is visible.
    """
    asked = HealthRequest(period, surface, strategy, experiment, arm, top)
    return private_json(await service.read(asked))
