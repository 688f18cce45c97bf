"""Health, readiness and metrics."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from common.metrics import CONTENT_TYPE, FIGURES_AS_OF, PART_READY, exposition
from common.readiness import HEALTH_BODY, RETRY_AFTER_S
from serving.gateway.described_routes import guarded
from serving.ops import schemas
from serving.ops.dependencies import OpsDep
from serving.ops.overview.schemas import PlatformOverview
from serving.ops.policy import POLICIES

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
    status = 200 if readiness["ready"] else 503
    return Response(orjson.dumps(readiness), status, headers, "application/json")


@router.get("/v1/ops/services", summary="What is where?", response_model=schemas.OpsServices)
async def services(ops: OpsDep) -> Response:
    """Return each service's addresses and whether they answer, circuit breakers, and refused requests."""
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(await ops.protection.read()), 200, headers, "application/json")


@router.get("/v1/ops/overview", summary="The whole platform at a glance", response_model=PlatformOverview)
async def platform_overview(ops: OpsDep) -> Response:
    """Return every part, stage, job, lag and alert of this moment, within 3 s whatever does not answer.

    A part that does not answer makes its figures null, and never those of others: `sources` says why.
    """
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(await ops.overview.read()), 200, headers, "application/json")


@router.get("/metrics", include_in_schema=False)
async def metrics(ops: OpsDep) -> Response:
    """Return the metrics in Prometheus' text format, with the state of parts and figures at this moment."""
    readiness = await ops.readiness.readiness()
    if (figures := readiness["figures"]) and (as_of := figures["as_of"]):
        FIGURES_AS_OF.labels("all").set(as_of.timestamp())
    for part in readiness["parts"]:
        PART_READY.labels(part["part"]).set(part["ready"])
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
