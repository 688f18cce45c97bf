"""Verifies access tokens: JSON Web Tokens of the users service, which are valid for 15 minutes. Follows that
service: its public keys, and the sessions and people whose access has ended.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from common.errors import SoukError
from common.http_client import RequestFailed
from common.principal import Principal
from common.problems import Problem, problem
from serving.kit.domain import stop_task

ALGORITHM = "Ed25519"
TYPE = "at+jwt"
"""The `typ` of access tokens (RFC 9068)."""

ISSUER = AUDIENCE = "souk"
CLOCK_SKEW_S = 5
MAX_TOKEN_CHARS = 8_192
_CACHED = 4096


class TokenRefused(Problem):
    """The token of a person can't be used."""


BAD_TOKEN = problem(
    401,
    "bad-token",
    "This token is not valid",
    "The token is not one of this shop. Sign in again with POST /v1/auth/sessions.",
    error=TokenRefused,
)
"""The token was not made by this shop, or was changed."""

TOKEN_EXPIRED = problem(
    401,
    "token-expired",
    "This token has ended",
    "Get a new token with POST /v1/auth/refresh, or sign in again.",
    error=TokenRefused,
)
TOKEN_REVOKED = problem(
    401,
    "token-revoked",
    "This session has ended",
    "The session of this token has ended. Sign in again.",
    error=TokenRefused,
)
"""The session of the token has ended, or its person was suspended."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token whose signature is right. `issued_at` and `ends_at` are Unix seconds."""

    principal: Principal
    issued_at: float
    ends_at: float


class AccessTokens:
    """Verifies tokens with the users service's public keys, and keeps what is revoked.

    Keys and revocations come from `AuthState`, which polls the users service. The last known ones stay in use
    while that service is away.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._keys: dict[str, OKPKey] = {}
        self.public_keys: Sequence[Mapping[str, Any]] = []
        """The keys as JWKs, for `/.well-known/jwks.json`."""
        self._verified: dict[str, VerifiedToken] = {}
        self._ended_sessions: dict[str, float] = {}
        self._ended_users: dict[str, float] = {}

    def set_keys(self, keys: Sequence[Mapping[str, Any]]) -> None:
        """Replace the keys. Tokens that a removed key signed are not valid any more."""
        if keys == self.public_keys:
            return
        imported = {str(key["kid"]): OKPKey.import_key(dict(key)) for key in keys}
        if set(imported) != set(self._keys):
            self._verified.clear()
        self._keys, self.public_keys = imported, [dict(key) for key in keys]

    def knows_key(self, token: str) -> bool:
        """Return whether the key that the token names is known. A new key is fetched if it is not."""
        return _header(token)["kid"] in self._keys

    def revoke(self, session_id: str | None, user_id: str | None, before: float) -> None:
        """Refuse the tokens of a session, or those of a person, that were issued before a Unix time."""
        if session_id is not None:
            self._ended_sessions[session_id] = before
        if user_id is not None:
            self._ended_users[user_id] = max(before, self._ended_users.get(user_id, 0.0))

    def forget_before(self, moment: float) -> None:
        """Drop revocations of tokens that have ended by themselves: those from before a Unix time."""
        self._ended_sessions = {name: at for name, at in self._ended_sessions.items() if at >= moment}
        self._ended_users = {name: at for name, at in self._ended_users.items() if at >= moment}

    def verify(self, token: str) -> Principal:
        """Return the principal of a token.

        Raises:
            BAD_TOKEN: the signature, the algorithm, the type, the issuer or a claim is wrong.
            TOKEN_EXPIRED: it has ended.
            TOKEN_REVOKED: its session or its person's access was ended after it was issued.
        """
        verified = self._verified.get(token)
        if verified is None:
            verified = self._check(token)
            if len(self._verified) >= _CACHED:
                self._verified.clear()
            self._verified[token] = verified
        now = self._now()
        if verified.ends_at <= now:
            raise TOKEN_EXPIRED()
        principal = verified.principal
        session_ended = principal.session_id is None or principal.session_id in self._ended_sessions
        if session_ended or verified.issued_at < self._ended_users.get(principal.subject, 0.0):
            raise TOKEN_REVOKED()
        return principal

    def _check(self, token: str) -> VerifiedToken:
        header = _header(token)
        # The key decides the algorithm, never the token. `crit` would demand extensions, and there are none.
        key = self._keys.get(str(header.get("kid")))
        if key is None or header.get("alg") != ALGORITHM or header.get("typ") != TYPE or "crit" in header:
            raise BAD_TOKEN()
        try:
            claims = orjson.loads(jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload)
            issued, ends = claims["iat"], claims["exp"]
            if claims["iss"] != ISSUER or claims["aud"] != AUDIENCE or issued > self._now() + CLOCK_SKEW_S:
                raise BAD_TOKEN()
            return VerifiedToken(Principal.from_claims(claims), float(issued), float(ends))
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BAD_TOKEN() from error


def _header(token: str) -> Mapping[str, Any]:
    """Return the header of a token, which nothing vouches for yet.

    Raises:
        BAD_TOKEN: it is no token.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise BAD_TOKEN()
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise BAD_TOKEN() from error
    if not isinstance(header.get("kid"), str):
        raise BAD_TOKEN()
    return header


POLL_S = 1.0
"""How long an ended session may still be accepted."""

REFRESH_AT_MOST_EVERY_S = 1.0
"""Tokens with unknown keys make the gateway ask for keys; not more often than this."""

KEEP_S = 20 * 60.0
"""How long a revocation is kept: longer than any access token lives."""

REQUEST_TIMEOUT_S = 2.0

Fetch = Callable[[int], Awaitable[Mapping[str, Any]]]
"""Returns the response of `GET /v1/auth/state?after=<position>`."""

log = structlog.get_logger()


class AuthState:
    """Polls the users service once a second. While it is away, the last known keys and revocations apply."""

    def __init__(self, fetch: Fetch, tokens: AccessTokens) -> None:
        self._fetch, self._tokens = fetch, tokens
        self._position = 0
        self._last_poll = 0.0
        self._polling = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.available = False
        """Whether the last poll succeeded."""

    def start(self) -> None:
        """Begin to poll."""
        self._task = asyncio.create_task(self._run(), name="auth state")

    async def aclose(self) -> None:
        """Stop polling."""
        await stop_task(self._task)

    async def refresh_soon(self) -> None:
        """Ask now, unless the last request was a moment ago. If that fails, the last known state stays."""
        if not self._polling.locked() and time.monotonic() - self._last_poll >= REFRESH_AT_MOST_EVERY_S:
            await self._poll()

    async def _run(self) -> None:
        while True:
            await self._poll()
            await asyncio.sleep(POLL_S)

    async def _poll(self) -> None:
        async with self._polling:
            self._last_poll = time.monotonic()
            try:
                # Unlike `asyncio.wait_for` of Python 3.11, this never ignores the cancellation of `aclose`.
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    state = await self._fetch(self._position)
                self._apply(state)
            except (SoukError, RequestFailed, TimeoutError, KeyError, ValueError, TypeError) as error:
                if self.available:
                    log.warning("users service unavailable, using the last known keys", reason=str(error))
                self.available = False
            else:
                self.available = True

    def _apply(self, state: Mapping[str, Any]) -> None:
        self._tokens.set_keys(state["keys"])
        for revoked in state["revocations"]:
            self._tokens.revoke(revoked.get("session_id"), revoked.get("user_id"), float(revoked["before"]))
        self._position = int(state["position"])
        self._tokens.forget_before(time.time() - KEEP_S)
