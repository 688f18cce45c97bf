"""What protects the platform now: the addresses of services, circuit breakers, and refused requests."""

import asyncio
from typing import Literal

from common.metrics import BREAKER_OPENED, BREAKER_STATE, REQUESTS_REFUSED, read_series
from common.settings import Settings
from common.urls import redact_password
from serving.gateway.service_routes import ServiceRoutes
from serving.kit.circuit_breaker import BreakerState
from serving.ops.readiness import ReadinessChecks
from serving.ops.schemas import BreakerStatus, OpsServices, RefusedRequests, ServerState, ServiceState

STATES: dict[BreakerState, Literal["closed", "half_open", "open"]] = {
    BreakerState.CLOSED: "closed",
    BreakerState.HALF_OPEN: "half_open",
    BreakerState.OPEN: "open",
}


class Protection:
    """Reads the routes of this process and the metrics of all, and checks each server."""

    def __init__(self, settings: Settings, readiness_checks: ReadinessChecks, routes: ServiceRoutes) -> None:
        self._routes, self._readiness_checks = routes, readiness_checks
        self._addresses = {
            "kafka": settings.kafka,
            "registry": settings.registry,
            "flink": settings.flink,
            "clickhouse": settings.clickhouse,
            "redis": settings.redis,
            "postgres": settings.postgres,
            "commerce": settings.commerce,
        }

    async def read(self) -> OpsServices:
        """Return the state of each address and each breaker, and how many requests were refused."""
        servers, (breakers, refused) = await asyncio.gather(self._servers(), asyncio.to_thread(_read_metrics))
        services: list[ServiceState] = [
            {"service": name, "addresses": state["addresses"]}
            for name, state in self._routes.snapshot().items()
        ]
        return {"services": services, "servers": servers, "breakers": breakers, "refused": refused}

    async def _servers(self) -> list[ServerState]:
        return [
            {
                "server": part["part"],
                "address": redact_password(self._addresses.get(part["part"], "")),
                "healthy": part["ready"],
                "needed": part["needed"],
                "detail": part["detail"],
            }
            for part in await self._readiness_checks.part_states()
        ]


def _read_metrics() -> tuple[list[BreakerStatus], list[RefusedRequests]]:
    states, openings, refusals = read_series(BREAKER_STATE, BREAKER_OPENED, REQUESTS_REFUSED)
    opened = {labels["breaker"]: int(count) for labels, count in openings}
    breakers: list[BreakerStatus] = [
        {
            "breaker": labels["breaker"],
            "state": STATES[BreakerState(int(state))],
            "opened": opened.get(labels["breaker"], 0),
        }
        for labels, state in states
    ]
    refused: list[RefusedRequests] = [
        {"traffic": labels["traffic"], "reason": labels["reason"], "requests": int(count)}
        for labels, count in refusals
        if count
    ]
    return (
        sorted(breakers, key=lambda each: each["breaker"]),
        sorted(refused, key=lambda each: (each["traffic"], each["reason"])),
    )
