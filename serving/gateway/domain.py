"""The gateway as a domain: who sends a request, whether it is let through, and the settings that change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from common.access_policy import TrafficClass
from common.configuration.definitions import (
    BREAKER_FAILURE_SHARE,
    BREAKER_OPEN_S,
    BREAKER_TRIALS,
    BREAKER_WINDOW,
    RATE_LIMITS,
)
from common.configuration.values import SettingValues
from common.principal_token import PrincipalTokens
from common.settings import Settings
from common.stopping import Stopping
from schemas.configuration.watcher import ConfigurationWatcher
from serving.gateway import sessions
from serving.gateway.access_tokens import AccessTokens, AuthState, Fetch
from serving.gateway.api_keys import ApiKeys, Verify
from serving.gateway.cookies import GuestSessions
from serving.gateway.gateway import Gateway, GatewayDomain
from serving.gateway.identity import Identifier
from serving.gateway.load_shedding import LoadShedder
from serving.gateway.rate_limits import LIMITS, RateLimits, shared_counts
from serving.gateway.time_limits import TimeLimits
from serving.kit.circuit_breaker import BreakerSettings, configure_breakers
from serving.kit.domain import DomainDefinition, running, stop_task

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


GATEWAY = DomainDefinition((sessions.router,), _open)
