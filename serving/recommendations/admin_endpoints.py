"""The routes about experiments, the log of answers, trainings, and the health of recommendations."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE, Id
from common.openapi import NOT_JSON, json_request_body, openapi_problem
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import identity_of
from serving.kit.domain import part_of
from serving.kit.parameters import Cursor, PeriodDep, SellerId, reject_repeated_parameters
from serving.kit.request_body import read_model
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, UNKNOWN_SELLER, private_json
from serving.kit.training_runs import LiveModel, RollBackRequest, TrainingDetails, Trainings
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.experiment_schemas import (
    ExperimentResults,
    Experiments,
    RecommendationAnswer,
    RecommendationUplift,
)
from serving.recommendations.experiments import ExperimentsService, UpliftService
from serving.recommendations.health import HealthRequest, RecommendationHealthService
from serving.recommendations.health_schemas import RecommendationHealth
from serving.recommendations.policy import POLICIES
from serving.recommendations.training_runs import TrainingsService

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1",
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)

Surface = Literal["home", "product", "cart", "order", "email"]


# Before `/admin/recommendations/{recommendation_id}`, which would take `health` for an id.
@router.get(
    "/admin/recommendations/health",
    tags=["experiments"],
    summary="The fairness and the health of recommendations",
    response_model=RecommendationHealth,
    responses=openapi_problem(404, "There is no experiment of this name."),
)
async def recommendation_health(
    service: Annotated[
        RecommendationHealthService, Depends(part_of(RecommendationsDomain, lambda domain: domain.health))
    ],
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
    return private_json(await service.read(HealthRequest(period, surface, strategy, experiment, arm, top)))


BODY_LIMIT = 16 * 1024
UNKNOWN_TRAINING = openapi_problem(404, "There is no training with this id.")

trainings_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/admin/recommendations/trainings",
    tags=["experiments"],
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


TrainingsDep = Annotated[
    TrainingsService, Depends(part_of(RecommendationsDomain, lambda domain: domain.trainings))
]
TrainingId = Annotated[Id, Path(description="The id of the training.")]


@trainings_router.get("", summary="Trainings of the recommender", response_model=Trainings)
async def trainings(
    service: TrainingsDep,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    version: Annotated[
        str, Query(max_length=100, pattern=PRINTABLE, description="`model_version` of an answer.")
    ] = "",
) -> Response:
    """Return every training, the newest first: also those that failed, and that were killed."""
    return private_json(await service.page(cursor, limit, version))


@trainings_router.get(
    "/{training_id}",
    summary="A training with its model card",
    response_model=TrainingDetails,
    responses=UNKNOWN_TRAINING,
)
async def training(service: TrainingsDep, training_id: TrainingId) -> Response:
    """Return a training and its card: data, split, search, and the evaluation of every model compared."""
    return private_json(await service.details(training_id))


@trainings_router.post(
    "/{training_id}/rollback",
    summary="Go back to the model of a training",
    response_model=LiveModel,
    responses=UNKNOWN_TRAINING
    | openapi_problem(409, "The model is not kept: only the live one and the one before it are.")
    | openapi_problem(413, "The body exceeds 16 KB.")
    | NOT_JSON,
    openapi_extra=json_request_body(RollBackRequest, {"reason": "The new model sells less."}),
)
async def roll_back_training(request: Request, service: TrainingsDep, training_id: TrainingId) -> Response:
    """Serve this model again, from the next answer of every process on. The live one becomes the previous.

    If the model is live already, nothing changes, so a request may be repeated. The next training that is not
    worse replaces it; no drift starts one before the night.
    """
    body = await read_model(request, RollBackRequest, BODY_LIMIT, '{"reason": "…"} with 3 to 500 characters')
    principal = identity_of(request).principal
    by = principal.subject if principal is not None else "unknown"
    return private_json(await service.roll_back(training_id, by, body.reason))


ExperimentsDep = Annotated[
    ExperimentsService, Depends(part_of(RecommendationsDomain, lambda domain: domain.experiments))
]


@router.get("/admin/experiments", tags=["experiments"], summary="All experiments", response_model=Experiments)
async def experiments(service: ExperimentsDep) -> Response:
    """Return the definitions of all experiments. The setting `recommendation_experiments` changes them."""
    return private_json(service.definitions())


@router.get(
    "/admin/experiments/{name}",
    tags=["experiments"],
    summary="The results of an experiment",
    response_model=ExperimentResults,
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
    response_model=RecommendationAnswer,
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
    response_model=RecommendationUplift,
    responses=UNKNOWN_SELLER,
)
async def recommendation_uplift(
    service: Annotated[UpliftService, Depends(part_of(RecommendationsDomain, lambda domain: domain.uplift))],
    seller_id: SellerId,
    days: Annotated[int, Query(ge=7, le=90, description="The number of days until now.")] = 28,
) -> Response:
    """Return the net sales that personal recommendations added, with its interval, and what biases it."""
    return private_json(await service.of_seller(seller_id, days))
