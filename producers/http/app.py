"""The HTTP application of a commerce process: its services' endpoints, health, readiness and metrics."""

from collections.abc import Collection

from fastapi import FastAPI
from starlette.responses import Response

from common.metrics import CONTENT_TYPE, exposition
from common.problems import install_error_handlers, problem_response
from producers.http.endpoint import json_response
from producers.http.middleware import CommerceMiddleware
from producers.http.readiness import ServiceReadiness
from producers.service_runner import ServiceRunner


def create_app(
    services: dict[str, ServiceRunner], readiness: ServiceReadiness, hosts: Collection[str] = ()
) -> FastAPI:
    """Return the application. It does not run the services. `hosts`: see `CommerceMiddleware`."""
    app = FastAPI(title="Souk commerce", version="1", docs_url=None, redoc_url=None)
    app.state.services = services
    for running in services.values():
        app.include_router(running.service.router)

    @app.get("/health", tags=["operations"])
    async def health() -> Response:
        """200 as long as the process runs."""
        return json_response({"status": "ok"})

    @app.get("/ready", tags=["operations"])
    async def ready() -> Response:
        """200 if every service can process requests and events; otherwise 503, with reasons in `missing`."""
        missing = await readiness.missing()
        if not missing:
            return json_response({"ready": True, "missing": {}})
        return json_response({"ready": False, "missing": missing}, 503, **{"Retry-After": "2"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus' text format."""
        return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    install_error_handlers(app, problem_response)
    app.add_middleware(CommerceMiddleware, hosts=hosts)
    return app
