"""Establishes who sends a request, from its bearer token or its cookies."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers

from common.access_policy import NotAllowed
from common.host_check import SAFE_METHODS
from common.principal import Principal, guest
from common.principal_token import GATEWAY, InvalidToken, PrincipalTokens
from common.problems import problem
from producers.services.sellers.api_keys import is_well_formed
from serving.gateway import cookies
from serving.gateway.access_tokens import BAD_TOKEN, AccessTokens, AuthState, TokenRefused
from serving.gateway.cookies import GUEST_PREFIX, GuestSessions

API_KEY_PREFIX = "souk_"
CACHED_S = 5.0
"""How long a result is kept: a revoked key works for this long at most."""

_CACHED = 10_000

Verify = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""Returns the response of `POST /v1/auth/api_keys/verification` for a key; None if the key is not valid."""


BAD_API_KEY = problem(
    401,
    "bad-api-key",
    "This API key is not valid",
    "The API key is unknown, has ended, or was revoked. Make a new one on your seller page.",
)


class ApiKeys:
    """The principals of API keys."""

    def __init__(self, verify: Verify, now: Callable[[], float] = time.monotonic) -> None:
        self._verify, self._now = verify, now
        self._known: dict[str, tuple[float, Principal | None]] = {}

    async def principal(self, key: str) -> Principal:
        """Return the principal of a key.

        Raises:
            BAD_API_KEY: the key is not valid.
            CommerceUnavailable: the sellers service does not answer.
        """
        if not is_well_formed(key):
            raise BAD_API_KEY()  # a guess is not worth a request
        cached = self._known.get(key)
        if cached is None or cached[0] <= self._now():
            response = await self._verify(key)
            principal = Principal.from_claims(response["principal"]) if response else None
            if len(self._known) >= _CACHED:
                self._known.clear()
            cached = self._known[key] = (self._now() + CACHED_S, principal)
        if cached[1] is None:
            raise BAD_API_KEY()
        return cached[1]


_BEARER = "bearer "


@dataclass(slots=True)
class Identity:
    """Who sends a request. The routes find it as `request.state.identity`.

    `session_id` is the browser's session; None without a valid cookie. `can_refresh`: the browser has a
    refresh token, and no valid access token.
    """

    principal: Principal | None
    session_id: str | None = None
    can_refresh: bool = False

    @property
    def signed_in(self) -> Principal | None:
        """The person who is signed in; None for a guest or a process."""
        return self.principal if self.principal and self.principal.is_signed_in else None

    def visitor_id(self, session_id: str) -> str:
        """Return the id for which a page recommends: the shopper's, else the browser's session."""
        return (self.principal.shopper_id if self.principal else None) or session_id


class Identifier:
    """Establishes the identity of each request.

    A bearer token comes first: an API key, a guest's token, a token of a process of the platform, or an
    access token. Then the cookies: an access token, else the session of a guest.
    """

    def __init__(
        self,
        tokens: PrincipalTokens,
        access_tokens: AccessTokens,
        auth_state: AuthState,
        api_keys: ApiKeys,
        guests: GuestSessions,
    ) -> None:
        self._tokens, self._access_tokens, self._auth_state = tokens, access_tokens, auth_state
        self._api_keys, self._guests = api_keys, guests

    async def identify(self, request: Request) -> Identity:
        """Return who sends a request.

        Raises:
            BAD_TOKEN, TOKEN_EXPIRED, TOKEN_REVOKED, BAD_API_KEY: the bearer token can't be used.
            NotAllowed: a request that may change something has a person's cookie, and names no origin.
            CommerceUnavailable: an API key can't be verified now.
        """
        session_id = self._guests.verify(request.cookies.get(cookies.SESSION, ""))
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return Identity(await self._bearer(authorization), session_id)
        access = request.cookies.get(cookies.ACCESS)
        if access is not None:
            with suppress(TokenRefused):
                principal = await self._access(access)
                check_origin(request)
                return Identity(principal, session_id)
        return Identity(
            guest(session_id) if session_id else None, session_id, cookies.SIGNED_IN in request.cookies
        )

    async def _bearer(self, authorization: str) -> Principal:
        token = _bearer_token(authorization)
        if token.startswith(API_KEY_PREFIX):
            return await self._api_keys.principal(token)
        if token.startswith(GUEST_PREFIX):
            session_id = self._guests.verify(token.removeprefix(GUEST_PREFIX))
            if session_id is None:
                raise BAD_TOKEN()
            return guest(session_id)
        try:
            return self._tokens.verify(token, GATEWAY)
        except InvalidToken:
            return await self._access(token)

    async def _access(self, token: str) -> Principal:
        if not self._access_tokens.knows_key(token):
            await self._auth_state.refresh_soon()
        return self._access_tokens.verify(token)


def is_from_platform(headers: Headers, tokens: PrincipalTokens) -> bool:
    """Return whether a request has the bearer token of a process of the platform."""
    try:
        return "platform" in tokens.verify(_bearer_token(headers.get("authorization", "")), GATEWAY).roles
    except (TokenRefused, InvalidToken):
        return False


def _bearer_token(authorization: str) -> str:
    """Return the token of a header `Authorization`.

    Raises:
        BAD_TOKEN: the header has no bearer token.
    """
    if authorization[: len(_BEARER)].lower() != _BEARER:
        raise BAD_TOKEN()
    return authorization[len(_BEARER) :].strip()


def check_origin(request: Request) -> None:
    """Check that a page of this site sent a request with cookies or a form.

    The middleware has refused requests of other origins.

    Raises:
        NotAllowed: a request that may change something names no origin. Every current browser names it.
    """
    if request.method in SAFE_METHODS:
        return
    if "sec-fetch-site" not in request.headers and "origin" not in request.headers:
        raise NotAllowed(
            "A request with a cookie must say where it comes from (Origin). Programs send a bearer token."
        )
