"""The HTTP application of a commerce process: its services' endpoints, health, readiness and metrics."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query
from fastapi.routing import APIRoute
from starlette.responses import Response

from common.access_policy import anyone
from common.guarded_route import all_routes, check_policies, guarded
from common.metrics import CONTENT_TYPE, exposition
from common.problems import install_error_handlers, problem_response
from common.readiness import HEALTH_BODY, RETRY_AFTER_S
from common.stopping import Stopping, drained_before_stop
from producers.kit.http.endpoint import json_response
from producers.kit.http.guard import ServiceGuard
from producers.kit.http.middleware import CommerceMiddleware
from producers.kit.http.readiness import ServiceReadiness
from producers.kit.http.routes import ServiceRoute
from producers.kit.service_runner import ServiceRunner

OPERATIONS = {"health": anyone("operations"), "ready": anyone("operations"), "metrics": anyone("operations")}
"""The policies of the routes below, the only ones that answer without a token of the gateway. They show no
data of people, and this server listens on loopback only."""


def create_app(
    services: dict[str, ServiceRunner],
    readiness: ServiceReadiness,
    guard: ServiceGuard,
    stopping: Stopping,
    drain_s: float,
    hosts: Collection[str] = (),
) -> FastAPI:
    """Return the application. It does not run the services.

    For `drain_s` after a signal to stop, the server still accepts connections (`drained_before_stop`).
    `hosts`: see `CommerceMiddleware`.

    Raises:
        MissingPolicy: a route has no policy.
    """

    def lifespan(_app: FastAPI) -> AbstractAsyncContextManager[None]:
        return drained_before_stop(stopping, drain_s)

    app = FastAPI(title="Souk commerce", version="1", openapi_url=None, lifespan=lifespan)
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
        return Response(HEALTH_BODY, headers={"Cache-Control": "no-store"}, media_type="application/json")

    @operations.get("/ready")
    async def ready(exclude: Annotated[list[str] | None, Query()] = None) -> Response:
        """200 if every service can process requests and events; otherwise 503, with reasons in `missing`.

        What `exclude` names is not checked; see `docs/health.md`.
        """
        body = await readiness.body(exclude or ())
        if body["ready"]:
            return json_response(body)
        return json_response(body, 503, **{"Retry-After": str(RETRY_AFTER_S)})

    @operations.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus' text format."""
        return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    app.include_router(operations)
    check_policies(app, frozenset())
    install_error_handlers(app, problem_response)
    names = {endpoint: running.service.name for endpoint, running in app.state.service_of.items()}
    limits = {
        route.endpoint: route.body.limit
        for running in services.values()
        for route in all_routes(running.service.router)
        if isinstance(route, ServiceRoute) and route.body is not None
    }
    app.add_middleware(CommerceMiddleware, stopping=stopping, hosts=hosts, service_of=names, limits=limits)
    return app
