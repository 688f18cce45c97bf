"""The gateway as a domain: who sends a request, whether it is let through, and the settings that change."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson
from fastapi import APIRouter, Request
from redis.asyncio import Redis
from starlette.responses import Response
from typing_extensions import TypedDict

from common.access_policy import AccessPolicy, TrafficClass, anyone
from common.configuration.definitions import (
    BREAKER_FAILURE_SHARE,
    BREAKER_OPEN_S,
    BREAKER_TRIALS,
    BREAKER_WINDOW,
    RATE_LIMITS,
)
from common.configuration.values import SettingValues
from common.content_type import JSON
from common.principal_token import PrincipalTokens
from common.settings import Settings
from common.stopping import Stopping
from schemas.configuration.watcher import ConfigurationWatcher
from serving.gateway.access_tokens import AccessTokens, AuthState, Fetch
from serving.gateway.cookies import GuestSessions
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import Gateway, GatewayDomain
from serving.gateway.identity import ApiKeys, Identifier, Verify
from serving.gateway.load_shedding import LoadShedder
from serving.gateway.rate_limits import LIMITS, RateLimits, shared_counts
from serving.gateway.time_limits import TimeLimits
from serving.kit.circuit_breaker import BreakerSettings, configure_breakers
from serving.kit.domain import DomainDefinition, opened, running, stop_task

APPLY_EVERY_S = 1.0


class LiveSettings:
    """The values of this process. A change is in effect about a second after it was made."""

    def __init__(self, settings: Settings) -> None:
        self._watcher = ConfigurationWatcher(settings)
        self._task: asyncio.Task[None] | None = None

    @property
    def values(self) -> SettingValues:
        """The present values: the last known ones while Kafka or the service is away."""
        return self._watcher.values

    def start(self) -> None:
        """Load the last known values, and follow the changes."""
        self._watcher.start()
        self._task = asyncio.create_task(self._run(), name="live settings")

    async def aclose(self) -> None:
        """Stop following."""
        await stop_task(self._task)
        await asyncio.to_thread(self._watcher.stop)

    def rate_limit(self, traffic: TrafficClass) -> int:
        """Return the requests a minute of a traffic class."""
        setting = RATE_LIMITS.get(traffic)
        return LIMITS[traffic] if setting is None else self.values.get(setting)

    async def _run(self) -> None:
        while True:
            configure_breakers(
                BreakerSettings(
                    window=self.values.get(BREAKER_WINDOW),
                    failure_share=self.values.get(BREAKER_FAILURE_SHARE),
                    max_open_s=self.values.get(BREAKER_OPEN_S),
                    trials=self.values.get(BREAKER_TRIALS),
                )
            )
            await asyncio.sleep(APPLY_EVERY_S)


@asynccontextmanager
async def _open(
    settings: Settings,
    tokens: PrincipalTokens,
    stopping: Stopping,
    redis: Redis,
    auth_state: Fetch,
    verify_api_key: Verify,
) -> AsyncIterator[GatewayDomain]:
    """Follow the users service and the settings, and measure the load.

    `auth_state` and `verify_api_key` are requests to the commerce services.
    """
    access_tokens, guests = AccessTokens(), GuestSessions(settings)
    async with (
        LoadShedder() as shedder,
        running(LiveSettings(settings)) as live,
        running(AuthState(auth_state, access_tokens)) as state,
    ):
        identifier = Identifier(tokens, access_tokens, state, ApiKeys(verify_api_key), guests)
        guard = Gateway(identifier, RateLimits(shared_counts(redis), live.rate_limit), TimeLimits())
        yield GatewayDomain(guard, access_tokens, guests, live.values, shedder, stopping)


POLICIES: Mapping[str, AccessPolicy] = {
    "jwks": anyone("read"),
    "begin_guest_session": anyone("sign_in"),
}

router = APIRouter(tags=["identity"], route_class=guarded(POLICIES))


class KeySet(TypedDict):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, str]]


class GuestSession(TypedDict):
    """A guest without a browser: its id, under which it buys, and its bearer token."""

    session_id: str
    guest_token: str


@router.get("/.well-known/jwks.json", summary="The public keys of access tokens", response_model=KeySet)
async def jwks(request: Request) -> Response:
    """Return the keys with which anybody can verify an access token. Old keys stay until their tokens end."""
    tokens = opened(request, GatewayDomain).access_tokens
    return Response(
        orjson.dumps({"keys": tokens.public_keys}), 200, {"Cache-Control": "public, max-age=60"}, JSON
    )


@router.post(
    "/v1/auth/guest_sessions",
    summary="Begin the session of a guest",
    status_code=201,
    response_model=GuestSession,
)
async def begin_guest_session(request: Request) -> Response:
    """Return a bearer token with which a program without cookies buys as a guest. It is not stored here."""
    guests = opened(request, GatewayDomain).guests
    session_id = guests.new()
    content = {"session_id": session_id, "guest_token": guests.token(session_id)}
    return Response(orjson.dumps(content), 201, {"Cache-Control": "no-store"}, JSON)


GATEWAY = DomainDefinition((router,), _open)
