"""The HTTP side of a commerce process: the addresses of its services, health, readiness and metrics."""

from fastapi import FastAPI
from starlette.responses import Response

from common.metrics import CONTENT_TYPE, exposition
from common.problems import answer_errors, as_json
from producers.http.endpoint import answer
from producers.http.guard import Guard
from producers.http.readiness import Readiness
from producers.running import RunningService


def create_app(services: dict[str, RunningService], readiness: Readiness) -> FastAPI:
    """The application over services that someone else runs."""
    app = FastAPI(title="Souk commerce", version="1", docs_url=None, redoc_url=None)
    app.state.services = services
    for running in services.values():
        app.include_router(running.service.router)

    @app.get("/health", tags=["operations"])
    async def health() -> Response:
        """Answers at once, whatever else is away."""
        return answer({"status": "ok"})

    @app.get("/ready", tags=["operations"])
    async def ready() -> Response:
        """200 when every service can take requests and events; else 503, and `missing` says why."""
        missing = await readiness.missing()
        if not missing:
            return answer({"ready": True, "missing": {}})
        return answer({"ready": False, "missing": missing}, 503, **{"Retry-After": "2"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus' text format."""
        return Response(exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    answer_errors(app, as_json)
    app.add_middleware(Guard)
    return app
