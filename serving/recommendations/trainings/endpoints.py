"""The routes about trainings of the recommender."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE, Id
from common.openapi import NOT_JSON, json_request_body, openapi_problem
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import identity_of
from serving.kit import trainings as schemas
from serving.kit.domain import opened
from serving.kit.parameters import Cursor, reject_repeated_parameters
from serving.kit.request_body import read_model
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, private_json
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.policy import POLICIES
from serving.recommendations.trainings.service import TrainingsService

BODY_LIMIT = 16 * 1024
UNKNOWN_TRAINING = openapi_problem(404, "There is no training with this id.")

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/admin/recommendations/trainings",
    tags=["experiments"],
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


async def _trainings(request: Request) -> TrainingsService:
    return opened(request, RecommendationsDomain).trainings


TrainingsDep = Annotated[TrainingsService, Depends(_trainings)]
TrainingId = Annotated[Id, Path(description="The id of the training.")]


@router.get("", summary="Trainings of the recommender", response_model=schemas.Trainings)
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


@router.get(
    "/{training_id}",
    summary="A training with its model card",
    response_model=schemas.TrainingDetails,
    responses=UNKNOWN_TRAINING,
)
async def training(service: TrainingsDep, training_id: TrainingId) -> Response:
    """Return a training and its card: data, split, search, and the evaluation of every model compared."""
    return private_json(await service.details(training_id))


@router.post(
    "/{training_id}/rollback",
    summary="Go back to the model of a training",
    response_model=schemas.LiveModel,
    responses=UNKNOWN_TRAINING
    | openapi_problem(409, "The model is not kept: only the live one and the one before it are.")
    | openapi_problem(413, "The body exceeds 16 KB.")
    | NOT_JSON,
    openapi_extra=json_request_body(schemas.RollBackRequest, {"reason": "The new model sells less."}),
)
async def roll_back_training(request: Request, service: TrainingsDep, training_id: TrainingId) -> Response:
    """Serve this model again, from the next answer of every process on. The live one becomes the previous.

    If the model is live already, nothing changes, so a request may be repeated. The next training that is not
    worse replaces it; no drift starts one before the night.
    """
    shape = '{"reason": "…"} with 3 to 500 characters'
    body = await read_model(request, schemas.RollBackRequest, BODY_LIMIT, shape)
    principal = identity_of(request).principal
    by = principal.subject if principal is not None else "unknown"
    return private_json(await service.roll_back(training_id, by, body.reason))
