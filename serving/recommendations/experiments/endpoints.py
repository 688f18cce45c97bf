"""The routes about experiments, the log of answers, and the uplift of a seller."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from common.openapi import openapi_problem
from serving.gateway.described_routes import guarded
from serving.kit.domain import opened
from serving.kit.parameters import SellerId, reject_repeated_parameters
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, UNKNOWN_SELLER, private_json
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.experiments import schemas
from serving.recommendations.experiments.service import ExperimentsService, UpliftService
from serving.recommendations.policy import POLICIES

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


async def _experiments(request: Request) -> ExperimentsService:
    return opened(request, RecommendationsDomain).experiments


async def _uplift(request: Request) -> UpliftService:
    return opened(request, RecommendationsDomain).uplift


ExperimentsDep = Annotated[ExperimentsService, Depends(_experiments)]


@router.get(
    "/admin/experiments", tags=["experiments"], summary="All experiments", response_model=schemas.Experiments
)
async def experiments(service: ExperimentsDep) -> Response:
    """Return the definitions of all experiments. The setting `recommendation_experiments` changes them."""
    return private_json(service.definitions())


@router.get(
    "/admin/experiments/{name}",
    tags=["experiments"],
    summary="The results of an experiment",
    response_model=schemas.ExperimentResults,
    responses=openapi_problem(404, "There is no experiment of this name."),
)
async def experiment(
    service: ExperimentsDep,
    name: Annotated[
        str,
        Path(
            min_length=1,
            max_length=60,
            pattern=PRINTABLE,
            description="The experiment, or `holdout` for the permanent hold-out in the last four weeks.",
            examples=["holdout"],
        ),
    ],
) -> Response:
    """Return each metric of each arm, and its difference from control with intervals and a verdict.

    A visitor counts from the first time that a list came into view. Intervals may be looked at any time.
    """
    return private_json(await service.results(name))


@router.get(
    "/admin/recommendations/{recommendation_id}",
    tags=["experiments"],
    summary="Where a recommendation came from",
    response_model=schemas.RecommendationAnswer,
    responses=openapi_problem(404, "The log has no answer with this id."),
)
async def recommendation_answer(
    service: ExperimentsDep,
    recommendation_id: Annotated[
        str, Path(min_length=1, max_length=200, pattern=PRINTABLE, description="The id of the list.")
    ],
) -> Response:
    """Return an answer from the log: its strategy and model version, seeds, scores, sources and chances."""
    return private_json(await service.answer(recommendation_id))


@router.get(
    "/sellers/{seller_id}/analytics/recommendation_uplift",
    tags=["metrics"],
    summary="What recommendations brought a seller",
    response_model=schemas.RecommendationUplift,
    responses=UNKNOWN_SELLER,
)
async def recommendation_uplift(
    service: Annotated[UpliftService, Depends(_uplift)],
    seller_id: SellerId,
    days: Annotated[int, Query(ge=7, le=90, description="The number of days until now.")] = 28,
) -> Response:
    """Return the net sales that personal recommendations added, with its interval, and what biases it."""
    return private_json(await service.of_seller(seller_id, days))
