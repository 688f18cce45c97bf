"""The commerce services answer nothing but health, readiness and metrics without a token of the gateway."""

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI

from common.clock import system_clock
from common.guarded_route import GuardedRoute, all_routes
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import Settings
from common.stopping import Stopping
from producers.kit.http.app import create_app
from producers.kit.http.guard import ServiceGuard
from producers.kit.http.idempotency import IdempotentRequests
from producers.kit.http.readiness import ServiceReadiness
from producers.kit.idempotency.sealed_response import ResponseSealer
from producers.kit.service_runner import ServiceRunner
from producers.registry import SERVICES

OPEN = {"/health", "/ready", "/metrics"}
SETTINGS = Settings(internal_secret="for tests")  # type: ignore[arg-type]  # pydantic converts it


@pytest.fixture(scope="module")
def app() -> FastAPI:
    async def make() -> FastAPI:
        services = {name: ServiceRunner(each, SETTINGS, system_clock) for name, each in SERVICES.items()}
        guard = ServiceGuard(PrincipalTokens(SETTINGS), IdempotentRequests(ResponseSealer(SETTINGS)))
        readiness = ServiceReadiness(services, SETTINGS.kafka, Stopping())
        return create_app(services, readiness, guard, Stopping(), 0.0)

    return asyncio.run(make())


def statuses(app: FastAPI, headers: dict[str, str]) -> dict[str, int]:
    """Send a request to each route that the services have; return its status by method and path."""

    async def send() -> dict[str, int]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return {
                f"{method} {route.path}": (
                    await client.request(method, filled(route.path), headers=headers)
                ).status_code
                for route in all_routes(app)
                if isinstance(route, GuardedRoute) and route.path not in OPEN
                for method in route.methods or ()
            }

    return asyncio.run(send())


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "00000000-0000-4000-8000-000000000000", path)


def test_no_route_answers_without_a_token(app: FastAPI) -> None:
    answered = {route: status for route, status in statuses(app, {}).items() if status != 401}
    assert answered == {}


def test_a_public_route_answers_a_token_of_nobody_in_particular(app: FastAPI) -> None:
    found = statuses(app, {HEADER: PrincipalTokens(SETTINGS).make(None, COMMERCE, "192.0.2.1")})
    assert found["POST /v1/auth/sessions"] != 401


def test_only_health_readiness_and_metrics_are_outside_the_api(app: FastAPI) -> None:
    paths = {getattr(route, "path", "") for route in all_routes(app)}
    assert {path for path in paths if not path.startswith("/v1/")} == OPEN
