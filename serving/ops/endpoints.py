"""Health, readiness, metrics, the platform at a glance, and audits."""

from collections.abc import Mapping
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from common.access_policy import AccessPolicy, allow, anyone
from common.ids import Id
from common.metrics import CONTENT_TYPE, FIGURES_AS_OF, PART_READY, exposition
from common.openapi import openapi_problem
from common.readiness import HEALTH_BODY, RETRY_AFTER_S
from serving.gateway.described_routes import guarded
from serving.kit.domain import part_of
from serving.kit.parameters import Cursor, reject_repeated_parameters
from serving.kit.responses import BAD_PARAMETER, UNAVAILABLE, private_json
from serving.ops import schemas
from serving.ops.audit_runs import AuditDetails, Audits, AuditsService
from serving.ops.dependencies import OpsDep, OpsDomain
from serving.ops.overview.schemas import PlatformOverview

_OPERATORS = allow("admin", "platform", traffic="operations")

POLICIES: Mapping[str, AccessPolicy] = {
    "health": anyone("operations"),
    "ready": anyone("operations"),
    "metrics": anyone("operations"),
    "platform_overview": _OPERATORS,
    "services": _OPERATORS,
    "audits": _OPERATORS,  # their differences contain rows of every seller
    "audit": _OPERATORS,
}
"""Who may see health, readiness and metrics, what is where, and what audits found."""


MAX_EXCLUDED = 20

router = APIRouter(route_class=guarded(POLICIES), tags=["operations"])


@router.get("/health", summary="Is this process alive?", response_model=schemas.Health)
async def health() -> Response:
    """Return at once, without checking any part."""
    return Response(HEALTH_BODY, headers={"Cache-Control": "no-store"}, media_type="application/json")


@router.get(
    "/ready",
    summary="Can this process serve?",
    response_model=schemas.Readiness,
    responses={503: {"model": schemas.Readiness, "description": "Something is missing; `missing` names it."}},
)
async def ready(
    ops: OpsDep,
    exclude: Annotated[
        list[str] | None,
        Query(
            max_length=MAX_EXCLUDED,
            description="What is not checked: names as in `missing`; `jobs` stands for all Flink jobs, and "
            "`parts` for all parts and jobs. A load balancer uses `exclude=parts`, because a part that is "
            "away is away for all processes.",
        ),
    ] = None,
) -> Response:
    """Return whether every needed part answers in its own protocol, and whether the process should be used.

    It should not be used while its tables are older than it needs, while the past is being counted for the
    first time, and once it has been told to stop. Figures that are only old do not matter: see
    `figures.catching_up`.
    """
    readiness = await ops.readiness.readiness(exclude or ())
    headers = {"Cache-Control": "no-store"}
    headers |= {} if readiness["ready"] else {"Retry-After": str(RETRY_AFTER_S)}
    return Response(orjson.dumps(readiness), 200 if readiness["ready"] else 503, headers, "application/json")


@router.get("/v1/ops/services", summary="What is where?", response_model=schemas.OpsServices)
async def services(ops: OpsDep) -> Response:
    """Return each service's addresses and whether they answer, circuit breakers, and refused requests."""
    return Response(
        orjson.dumps(await ops.protection.read()), 200, {"Cache-Control": "no-store"}, "application/json"
    )


@router.get("/v1/ops/overview", summary="The whole platform at a glance", response_model=PlatformOverview)
async def platform_overview(ops: OpsDep) -> Response:
    """Return every part, stage, job, lag and alert of this moment, within 3 s whatever does not answer.

    A part that does not answer makes its figures null, and never those of others: `sources` says why.
    """
    return Response(
        orjson.dumps(await ops.overview.read()), 200, {"Cache-Control": "no-store"}, "application/json"
    )


@router.get("/metrics", include_in_schema=False)
async def metrics(ops: OpsDep) -> Response:
    """Return the metrics in Prometheus' text format, with the state of parts and figures at this moment."""
    readiness = await ops.readiness.readiness()
    if (figures := readiness["figures"]) and (as_of := figures["as_of"]):
        FIGURES_AS_OF.labels("all").set(as_of.timestamp())
    for part in readiness["parts"]:
        PART_READY.labels(part["part"]).set(part["ready"])
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


audits_router = APIRouter(
    route_class=guarded(POLICIES),
    prefix="/v1/ops/audits",
    tags=["operations"],
    responses=BAD_PARAMETER | UNAVAILABLE,
    dependencies=[Depends(reject_repeated_parameters)],
)


AuditsDep = Annotated[AuditsService, Depends(part_of(OpsDomain, lambda domain: domain.audits))]
AuditId = Annotated[Id, Path(description="The id of the audit.")]


@audits_router.get("", summary="Audits of the stores", response_model=Audits)
async def audits(
    service: AuditsDep,
    cursor: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return every audit, the newest first: also those that failed, and that were killed."""
    return private_json(await service.page(cursor, limit))


@audits_router.get(
    "/{audit_id}",
    summary="An audit with its results and differences",
    response_model=AuditDetails,
    responses=openapi_problem(404, "There is no audit with this id."),
)
async def audit(service: AuditsDep, audit_id: AuditId) -> Response:
    """Return what each comparison of an audit found, and the first differences."""
    return private_json(await service.details(audit_id))
