"""The routes about audits."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from common.ids import Id
from common.openapi import openapi_problem
from serving.gateway.described_routes import guarded
from serving.kit.domain import opened
from serving.kit.parameters import Cursor, reject_repeated_parameters
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, private_json
from serving.ops.audits import service as schemas
from serving.ops.audits.service import AuditsService
from serving.ops.dependencies import OpsDomain
from serving.ops.policy import POLICIES

router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/ops/audits",
    tags=["operations"],
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


async def _audits(request: Request) -> AuditsService:
    return opened(request, OpsDomain).audits


AuditsDep = Annotated[AuditsService, Depends(_audits)]
AuditId = Annotated[Id, Path(description="The id of the audit.")]


@router.get("", summary="Audits of the stores", response_model=schemas.Audits)
async def audits(
    service: AuditsDep,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return every audit, the newest first: also those that failed, and that were killed."""
    return private_json(await service.page(cursor, limit))


@router.get(
    "/{audit_id}",
    summary="An audit with its results and differences",
    response_model=schemas.AuditDetails,
    responses=openapi_problem(404, "There is no audit with this id."),
)
async def audit(service: AuditsDep, audit_id: AuditId) -> Response:
    """Return what each comparison of an audit found, and the first differences."""
    return private_json(await service.details(audit_id))
