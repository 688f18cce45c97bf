"""The HTTP application of a commerce process: its services' endpoints, health, readiness and metrics."""

from collections.abc import Collection

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response

from common.access_policy import anyone
from common.guarded_route import all_routes, check_policies, guarded
from common.metrics import CONTENT_TYPE, exposition
from common.problems import install_error_handlers, problem_response
from producers.http.endpoint import json_response
from producers.http.guard import ServiceGuard
from producers.http.middleware import CommerceMiddleware
from producers.http.readiness import ServiceReadiness
from producers.service_runner import ServiceRunner

OPERATIONS = {"health": anyone("operations"), "ready": anyone("operations"), "metrics": anyone("operations")}
"""The policies of the routes below. They show no data of people, and this server listens on loopback only."""


def create_app(
    services: dict[str, ServiceRunner],
    readiness: ServiceReadiness,
    guard: ServiceGuard,
    hosts: Collection[str] = (),
) -> FastAPI:
    """Return the application. It does not run the services. `hosts`: see `CommerceMiddleware`.

    Raises:
        MissingPolicy: a route has no policy.
    """
    app = FastAPI(title="Souk commerce", version="1", docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.guard = guard
    app.state.service_of = {
        route.endpoint: running
        for running in services.values()
        for route in all_routes(running.service.router)
        if isinstance(route, APIRoute)
    }
    operations = APIRouter(tags=["operations"], route_class=guarded(OPERATIONS))
    for running in services.values():
        app.include_router(running.service.router)

    @operations.get("/health")
    async def health() -> Response:
        """200 as long as the process runs."""
        return json_response({"status": "ok"})

    @operations.get("/ready")
    async def ready() -> Response:
        """200 if every service can process requests and events; otherwise 503, with reasons in `missing`."""
        missing = await readiness.missing()
        if not missing:
            return json_response({"ready": True, "missing": {}})
        return json_response({"ready": False, "missing": missing}, 503, **{"Retry-After": "2"})

    @operations.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus' text format."""
        return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    app.include_router(operations)
    check_policies(app, frozenset({"/openapi.json"}))
    install_error_handlers(app, problem_response)
    app.add_middleware(CommerceMiddleware, hosts=hosts)
    return app
