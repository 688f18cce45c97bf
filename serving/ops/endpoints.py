"""Health, readiness and metrics."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from common.metrics import CONTENT_TYPE, PART_READY, exposition
from serving.ops import schemas
from serving.ops.service import Parts

router = APIRouter(tags=["operations"])


@router.get("/health", summary="Is this process alive?", response_model=schemas.Health)
async def health() -> Response:
    """Answers at once, whatever the other parts do."""
    return Response(b'{"status":"ok"}', headers={"Cache-Control": "no-store"}, media_type="application/json")


@router.get(
    "/ready",
    summary="Can the platform serve?",
    response_model=schemas.Readiness,
    responses={503: {"model": schemas.Readiness, "description": "A part is missing; `missing` names it."}},
)
async def ready(request: Request) -> Response:
    """Asks every part, each in its own protocol; only the needed ones decide."""
    parts: Parts = request.app.state.parts
    readiness = await parts.readiness()
    headers = {"Cache-Control": "no-store"} | ({} if readiness["ready"] else {"Retry-After": "5"})
    status = 200 if readiness["ready"] else 503
    return Response(orjson.dumps(readiness), status, headers, "application/json")


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus' text format, with the state of every part at this moment."""
    parts: Parts = request.app.state.parts
    for part in (await parts.readiness())["parts"]:
        PART_READY.labels(part["part"]).set(part["ready"])
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
