"""`python -m bench.serving.gateway_app PORT with|without`: one process of the API, with a gateway or not."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

from common import gc_tuning
from common.access_policy import AccessPolicy
from common.guarded_route import RouteHandler
from common.principal import platform
from common.settings import LOOPBACK, Settings
from common.telemetry import configure_logging
from serving.admission import AdmissionProtocol
from serving.app import create_app
from serving.gateway.identity import Identity

WITH, WITHOUT = "with", "without"


class OpenGuard:
    """A guard that lets every request pass, as the platform's own. Only the bench has it."""

    async def handle(self, request: Request, policy: AccessPolicy, respond: RouteHandler) -> Response:  # noqa: ARG002
        """Call the route."""
        request.state.identity = Identity(platform("bench"))
        return await respond(request)


def build(settings: Settings, variant: str) -> FastAPI:
    """Return the application; `WITHOUT` replaces its guard by an `OpenGuard` once its clients are open."""
    app = create_app(settings)
    if variant == WITHOUT:
        opened = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
            async with opened(app) as state:
                app.state.guard = OpenGuard()
                yield state or {}

        app.router.lifespan_context = lifespan
    return app


def main() -> None:
    """Serve until a signal arrives."""
    port, variant = int(sys.argv[1]), sys.argv[2]
    configure_logging("serving")
    app = build(Settings.load(), variant)
    gc_tuning.tune_gc()
    uvicorn.run(
        app,
        host=LOOPBACK,
        port=port,
        loop="uvloop",
        http=AdmissionProtocol,
        access_log=False,
        server_header=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
