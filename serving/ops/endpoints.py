"""Health, readiness and metrics."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from common.metrics import CONTENT_TYPE, FIGURES_AS_OF, PART_READY, exposition
from serving.gateway.described_routes import guarded
from serving.ops import schemas
from serving.ops.overview.schemas import PlatformOverview
from serving.ops.overview.service import OverviewService
from serving.ops.policy import POLICIES
from serving.ops.protection import Protection
from serving.ops.readiness import ReadinessChecks

router = APIRouter(route_class=guarded(POLICIES), tags=["operations"])


@router.get("/health", summary="Is this process alive?", response_model=schemas.Health)
async def health() -> Response:
    """Return at once, without checking any part."""
    return Response(b'{"status":"ok"}', headers={"Cache-Control": "no-store"}, media_type="application/json")


@router.get(
    "/ready",
    summary="Can the platform serve?",
    response_model=schemas.Readiness,
    responses={
        503: {"model": schemas.Readiness, "description": "A needed part does not answer; `missing` names it."}
    },
)
async def ready(request: Request) -> Response:
    """Return whether every needed part answers in its own protocol.

    The platform can be ready while figures are still catching up: see `figures.catching_up`.
    """
    readiness_checks: ReadinessChecks = request.app.state.readiness_checks
    readiness = await readiness_checks.readiness()
    headers = {"Cache-Control": "no-store"} | ({} if readiness["ready"] else {"Retry-After": "5"})
    status = 200 if readiness["ready"] else 503
    return Response(orjson.dumps(readiness), status, headers, "application/json")


@router.get("/v1/ops/services", summary="What is where?", response_model=schemas.OpsServices)
async def services(request: Request) -> Response:
    """Return each service's addresses and whether they answer, circuit breakers, and refused requests."""
    protection: Protection = request.app.state.protection
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(await protection.read()), 200, headers, "application/json")


@router.get("/v1/ops/overview", summary="The whole platform at a glance", response_model=PlatformOverview)
async def platform_overview(request: Request) -> Response:
    """Return every part, stage, job, lag and alert of this moment, within 3 s whatever does not answer.

    A part that does not answer makes its figures null, and never those of others: `sources` says why.
    """
    service: OverviewService = request.app.state.overview
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(await service.read()), 200, headers, "application/json")


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return the metrics in Prometheus' text format, with the state of parts and figures at this moment."""
    readiness_checks: ReadinessChecks = request.app.state.readiness_checks
    readiness = await readiness_checks.readiness()
    if (figures := readiness["figures"]) and (as_of := figures["as_of"]):
        FIGURES_AS_OF.labels("all").set(as_of.timestamp())
    for part in readiness["parts"]:
        PART_READY.labels(part["part"]).set(part["ready"])
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
