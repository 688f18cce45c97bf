"""The gateway: limits traffic and time, identifies who sends a request, and checks its route's policy."""

from dataclasses import dataclass
from functools import partial
from typing import cast

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from common.access_policy import AccessPolicy, SignInRequired
from common.configuration.values import SettingValues
from common.guarded_route import RouteHandler
from common.metrics import REQUESTS_REFUSED
from common.principal import Principal
from common.problems import Problem
from common.stopping import Stopping
from serving.gateway.access_tokens import AccessTokens
from serving.gateway.cookies import GuestSessions
from serving.gateway.identity import Identifier, Identity
from serving.gateway.load_shedding import LoadShedder
from serving.gateway.rate_limits import QuotaExceeded, RateLimit, RateLimits
from serving.gateway.sign_in_redirect import is_form, is_page_visit, resend_address, sign_in_address
from serving.gateway.time_limits import TimeLimits
from serving.kit.problems import CommerceUnavailable


class Gateway:
    """The guard of all routes of the API and the pages (`common.guarded_route.Guard`)."""

    def __init__(self, identifier: Identifier, limits: RateLimits, times: TimeLimits) -> None:
        self._identifier, self._limits, self._times = identifier, limits, times

    async def handle(self, request: Request, policy: AccessPolicy, respond: RouteHandler) -> Response:
        """Respond if the policy allows it. A page that needs a person redirects to the sign-in.

        A form that is sent after the access token has ended is sent again, once the session is renewed.

        Raises:
            Problem: why the request is refused.
        """
        return await self._times.run(
            policy.traffic,
            request.method,
            "idempotency-key" in request.headers,
            partial(self._handle, request, policy, respond),
        )

    async def _handle(self, request: Request, policy: AccessPolicy, respond: RouteHandler) -> Response:
        identity = await self._identify(request, policy)
        limit = await self._limit(request, identity.principal, policy)
        response = await self._respond(request, identity, policy, respond)
        # A shared cache would show the quota of one sender to others.
        if limit is not None and not response.headers.get("cache-control", "").startswith("public"):
            response.headers.update(limit.headers())
        return response

    async def still_allows(self, request: Request, policy: AccessPolicy) -> bool:
        """Return whether a request with a response that lasts would still be let through.

        This does not count as a request. If an API key can't be verified now, the last answer applies.
        """
        try:
            identity = await self._identifier.identify(request)
            policy.authorize(identity.principal, request.path_params)
        except CommerceUnavailable:
            return True
        except Problem:
            return False
        return True

    async def _identify(self, request: Request, policy: AccessPolicy) -> Identity:
        try:
            identity = await self._identifier.identify(request)
        except Problem:
            await self._limit(request, None, policy)  # guesses of tokens count for the address
            raise
        request.state.identity = identity
        return identity

    async def _limit(
        self, request: Request, principal: Principal | None, policy: AccessPolicy
    ) -> RateLimit | None:
        address = request.client.host if request.client else ""
        limit = await self._limits.check(principal, address, policy.traffic)
        if limit is not None and not limit.allowed:
            REQUESTS_REFUSED.labels(policy.traffic, "quota").inc()
            raise QuotaExceeded(limit)
        return limit

    async def _respond(
        self, request: Request, identity: Identity, policy: AccessPolicy, respond: RouteHandler
    ) -> Response:
        if identity.can_refresh and not policy.public and is_form(request):
            return RedirectResponse(resend_address(request), 307, {"Cache-Control": "no-store"})
        try:
            policy.authorize(identity.principal, request.path_params)
        except SignInRequired:
            if not is_page_visit(request):
                raise
            return to_sign_in(request)
        return await respond(request)


@dataclass(frozen=True, slots=True)
class GatewayDomain:
    """The open gateway: its guard, what signs sessions and verifies tokens, and the settings that change."""

    guard: Gateway
    access_tokens: AccessTokens
    guests: GuestSessions
    values: SettingValues
    """The present settings of this process."""
    shedder: LoadShedder
    stopping: Stopping


def identity_of(request: Request) -> Identity:
    """Return who sends a request that the gateway let through."""
    return cast(Identity, request.state.identity)


def renewal(request: Request) -> Response | None:
    """Return the redirect that renews the session before a page is shown; None if nothing is to be renewed.

    Only for pages that guests may open, too, and that show a person something else.
    """
    can_refresh = identity_of(request).can_refresh and is_page_visit(request)
    return to_sign_in(request) if can_refresh else None


def to_sign_in(request: Request) -> Response:
    """Return the redirect to the sign-in, or to the renewal of the session, and back to the page."""
    return RedirectResponse(
        sign_in_address(request, identity_of(request).can_refresh), 303, {"Cache-Control": "no-store"}
    )
