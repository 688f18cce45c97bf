"""Each service by itself, with a database that has only its own schema, without Kafka and the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from common.access_policy import NotAllowed, NotYours, SignInRequired
from common.clock import system_clock
from common.guarded_route import GuardedRoute, all_routes
from common.ids import new_id
from common.principal import Principal, guest, platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.settings import LOOPBACK, Settings
from common.stopping import Stopping
from producers.kit.backoff import retry_until_done
from producers.kit.http.app import create_app
from producers.kit.http.guard import ServiceGuard
from producers.kit.http.idempotency import IdempotentRequests
from producers.kit.http.problems import ServiceNotReady
from producers.kit.http.readiness import ServiceReadiness
from producers.kit.idempotency.sealed_response import ResponseSealer
from producers.kit.service_runner import ServiceRunner
from producers.registry import SERVICES
from tests.integration.commerce.users import PASSWORD
from tests.ports import free_offset

ME = new_id()
SELLER = "lamps"
ADMIN = Principal(new_id(), frozenset({"shopper", "admin"}), ("shopper-1",), session_id=new_id())
OWNER = Principal(ME, frozenset({"shopper", "seller"}), ("shopper-2",), {SELLER: "owner"}, None, new_id())
PRINCIPALS = [platform("tests"), ADMIN, OWNER, guest(new_id())]

ONLY_SINGLE_THINGS = ("inventory", "payments")
"""The services without a list: an empty database has nothing that their routes show."""


class Alone:
    """One service, without the others, and a client of it."""

    def __init__(self, settings: Settings, name: str, http: httpx.AsyncClient) -> None:
        self._tokens = PrincipalTokens(settings)
        self.name = name
        self.http = http

    async def send(self, principal: Principal, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {HEADER: self._tokens.make(principal, COMMERCE)}
        return await self.http.request(method, path, json=body, headers=headers)


Work = Callable[[Alone], Awaitable[Any]]


@pytest.fixture
def alone(shop: Any) -> Iterator[Callable[[str, Work], Any]]:
    """A function that runs a service by itself, and returns the result of `work` with it."""
    databases = []

    def run(name: str, work: Work) -> Any:
        database = f"alone_{new_id().replace('-', '')}"
        shop.sql(f"CREATE DATABASE {database}")
        databases.append(database)
        nowhere = f"{LOOPBACK}:{8000 + free_offset()}"
        settings = shop.settings.model_copy(
            update={
                "postgres_url": f"{shop.settings.postgres.rpartition('/')[0]}/{database}",
                "kafka_bootstrap": nowhere,
                "commerce_url": f"http://{nowhere}",
            }
        )
        return asyncio.run(_run(settings, name, work))

    yield run
    for database in databases:
        shop.sql(f"DROP DATABASE {database} WITH (FORCE)")


async def _run(settings: Settings, name: str, work: Work) -> Any:
    runner, stopping = ServiceRunner(SERVICES[name], settings, system_clock), Stopping()
    guard = ServiceGuard(PrincipalTokens(settings), IdempotentRequests(ResponseSealer(settings)))
    services = {name: runner}
    app = create_app(services, ServiceReadiness(services, settings.kafka, stopping), guard, stopping, 0)
    running = asyncio.create_task(runner.run())

    async def has_started() -> None:
        if running.done():
            running.result()
        runner.transactions  # noqa: B018

    transport = httpx.ASGITransport(app=app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{LOOPBACK}") as http:
            async with asyncio.timeout(60):
                await retry_until_done(name, has_started, (ServiceNotReady,))
            return await work(Alone(settings, name, http))
    finally:
        running.cancel()
        await asyncio.wait({running})


def principal_for(route: GuardedRoute, parameters: dict[str, str]) -> Principal:
    for principal in PRINCIPALS:
        try:
            route.policy.authorize(principal, parameters)
        except (SignInRequired, NotAllowed, NotYours):
            continue
        return principal
    raise AssertionError(f"nobody may use {route.path}")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_nothing_but_its_own_schema(alone: Callable[[str, Work], Any], name: str) -> None:
    async def read(service: Alone) -> dict[str, int]:
        statuses = {}
        for route in all_routes(SERVICES[name].router):
            if not isinstance(route, APIRoute) or "GET" not in route.methods:
                continue
            assert isinstance(route, GuardedRoute)
            parameters = {each: SELLER if each == "seller_id" else ME for each in route.param_convertors}
            principal = principal_for(route, parameters)
            answer = await service.send(principal, "GET", route.path.format(**parameters))
            statuses[route.name] = answer.status_code
        return statuses

    statuses = alone(name, read)

    assert statuses
    assert {route: status for route, status in statuses.items() if status not in (200, 404, 422)} == {}
    assert 200 in statuses.values() or name in ONLY_SINGLE_THINGS


def test_without_users_a_seller_works_and_only_invitations_are_refused(
    alone: Callable[[str, Work], Any],
) -> None:
    async def sell(service: Alone) -> list[int]:
        body = {
            "name": "Ana",
            "legal_name": "Ana ME",
            "tax_id": "1",
            "country": "BR",
            "contact_email": "a@b.c",
        }
        opened = await service.send(OWNER, "POST", "/v1/seller_applications", body)
        found = opened.json()
        approval = f"/v1/seller_applications/{found['application_id']}/approval"
        owner = Principal(ME, OWNER.roles, (), {found["seller_id"]: "owner"}, None, new_id())
        seller = f"/v1/sellers/{found['seller_id']}"
        answers = [
            opened,
            await service.send(ADMIN, "POST", approval, {}),
            await service.send(owner, "PATCH", f"{seller}/profile", {"description": "Lamps."}),
            await service.send(owner, "GET", f"{seller}/staff"),
            await service.send(
                owner, "POST", f"{seller}/staff_invitations", {"email": "b@b.c", "role": "analyst"}
            ),
        ]
        return [answer.status_code for answer in answers]

    assert alone("sellers", sell) == [201, 200, 200, 200, 503]


def test_without_the_others_a_person_registers_and_is_erased_but_not_exported(
    alone: Callable[[str, Work], Any],
) -> None:
    async def live(service: Alone) -> list[int]:
        email, nobody = "ana@shop.example", platform("tests")
        registered = await service.send(
            nobody, "POST", "/v1/auth/registrations", {"email": email, "password": PASSWORD}
        )
        mails = (await service.send(nobody, "GET", "/v1/mails")).json()
        token = mails[0]["text"].partition("token=")[2].split()[0]
        verified = await service.send(
            nobody, "POST", "/v1/auth/verifications", {"token": token, "password": PASSWORD}
        )
        signed_in = await service.send(
            nobody, "POST", "/v1/auth/sessions", {"email": email, "password": PASSWORD}
        )
        user = signed_in.json()["user"]
        ana = Principal(user["user_id"], frozenset({"shopper"}), (user["shopper_id"],), session_id=new_id())
        answers = [
            registered,
            verified,
            signed_in,
            await service.send(ana, "GET", "/v1/me/export"),
            await service.send(ana, "POST", "/v1/me/erasure", {"password": PASSWORD}),
            await service.send(ana, "GET", "/v1/me"),
        ]
        return [answer.status_code for answer in answers]

    statuses = alone("users", live)

    assert statuses[3:] == [503, 204, 404]
    assert all(status < 300 for status in statuses[:3])


def test_without_users_alerts_refuses_reports_and_lists_them(alone: Callable[[str, Work], Any]) -> None:
    async def report(service: Alone) -> list[int]:
        body = {"name": "Mornings", "period": "day", "metrics": ["orders"], "address": "a@b.c"}
        reports = f"/v1/sellers/{SELLER}/reports"
        answers = [
            await service.send(OWNER, "POST", reports, body),
            await service.send(OWNER, "GET", reports),
        ]
        return [answer.status_code for answer in answers]

    assert alone("alerts", report) == [503, 200]
