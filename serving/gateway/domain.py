"""The gateway as a domain: who sends a request, whether it is let through, and the settings that change."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from common.principal_token import PrincipalTokens
from common.settings import Settings
from common.stopping import Stopping
from serving.gateway import sessions
from serving.gateway.access_tokens import AccessTokens
from serving.gateway.api_keys import ApiKeys, Verify
from serving.gateway.auth_state import AuthState, Fetch
from serving.gateway.cookies import GuestSessions
from serving.gateway.gateway import Gateway, GatewayDomain
from serving.gateway.identity import Identifier
from serving.gateway.live_settings import LiveSettings
from serving.gateway.load_shedding import LoadShedder
from serving.gateway.rate_limits import RateLimits, shared_counts
from serving.gateway.time_limits import TimeLimits
from serving.kit.domain import DomainDefinition, running


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
