"""Signed statements of who sends a request, between processes that share `Settings.internal_secret`.

The gateway adds one to each request that it forwards (header `Souk-Principal`), which also says from which
address and in which visit of a browser the request came. Processes of the platform send one to the gateway as
their bearer token. Both are JSON Web Tokens (RFC 7519) with HS256, and end after a minute.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from common.errors import UserError
from common.principal import Principal, platform
from common.settings import Settings

HEADER = "Souk-Principal"
"""The header in which a service gets the token of a request's sender."""

GATEWAY = "gateway"
"""The audience of the platform's own tokens."""

COMMERCE = "commerce"
"""The audience of requests to the commerce services."""

LIFETIME_S = 60
RENEW_AFTER_S = 30
ALGORITHM = "HS256"
_CACHED = 4096
"""The largest number of tokens that one process keeps, made or verified."""

Now = Callable[[], float]


class InvalidToken(Exception):
    """The token was not made by a process of this platform for this audience, or it has ended."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a request, from which network address, and in which visit of a browser (its session's id).

    None: nobody in particular, or not known.
    """

    principal: Principal | None = None
    address: str | None = None
    visit: str | None = None


def derived_key(settings: Settings, purpose: str) -> bytes:
    """Return the 32-byte key of a purpose, derived from `internal_secret` by HMAC-SHA256.

    Raises:
        UserError: the settings have no such secret.
    """
    secret = settings.internal_secret.get_secret_value()
    if not secret:
        raise UserError("secrets.toml has no internal_secret: run `./souk up`, or set SOUK_INTERNAL_SECRET")
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)


class PrincipalTokens:
    """Makes and verifies these tokens. It caches both results."""

    def __init__(self, settings: Settings, now: Now = time.time) -> None:
        self._key = OctKey.import_key(derived_key(settings, "principal tokens"))
        self._now = now
        self._made: dict[tuple[bytes, str, str | None, str | None], tuple[float, str]] = {}
        self._verified: dict[tuple[str, str], tuple[float, Sender]] = {}

    def make(
        self,
        principal: Principal | None,
        audience: str,
        address: str | None = None,
        visit: str | None = None,
    ) -> str:
        """Return a token with which `audience` knows the `Sender`; it is valid for 30 to 60 seconds."""
        now = self._now()
        claims = principal.claims() if principal is not None else {}
        key = orjson.dumps(claims, option=orjson.OPT_SORT_KEYS), audience, address, visit
        cached = self._made.get(key)
        if cached and now < cached[0]:
            return cached[1]
        claims |= {"aud": audience, "exp": int(now) + LIFETIME_S}
        given = {"address": address, "visit": visit}
        claims |= {name: value for name, value in given.items() if value is not None}
        header = {"alg": ALGORITHM, "typ": "souk-principal+jwt"}
        token = jws.serialize_compact(header, orjson.dumps(claims), self._key, algorithms=[ALGORITHM])
        _put(self._made, key, (now + RENEW_AFTER_S, token))
        return token

    def verify(self, token: str, audience: str) -> Principal:
        """Return the principal of a token.

        Raises:
            InvalidToken: see `verify_sender`; or the token names no principal.
        """
        principal = self.verify_sender(token, audience).principal
        if principal is None:
            raise InvalidToken
        return principal

    def verify_sender(self, token: str, audience: str) -> Sender:
        """Return the sender that a token names.

        Raises:
            InvalidToken: it was made with another key or for another audience, or it has ended.
        """
        now = self._now()
        cached = self._verified.get((token, audience))
        if cached and now < cached[0]:
            return cached[1]
        try:
            claims = orjson.loads(jws.deserialize_compact(token, self._key, algorithms=[ALGORITHM]).payload)
            ends = claims["exp"]
            if claims["aud"] != audience or not isinstance(ends, int) or ends <= now:
                raise InvalidToken
            sender = _sender(claims)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidToken from error
        _put(self._verified, (token, audience), (ends, sender))
        return sender


class PlatformToken:
    """The bearer token of a process of the platform, for its requests to the gateway."""

    def __init__(self, settings: Settings, process: str) -> None:
        self._tokens = PrincipalTokens(settings)
        self._principal = platform(process)

    def headers(self) -> dict[str, str]:
        """Return the header `Authorization` with a token that is valid for at least 30 seconds."""
        return {"Authorization": f"Bearer {self._tokens.make(self._principal, GATEWAY)}"}

    def __call__(self, request: httpx.Request) -> httpx.Request:
        """Add the header to a request of httpx: use this object as the `auth` of a client."""
        request.headers.update(self.headers())
        return request


def _sender(claims: Mapping[str, Any]) -> Sender:
    """Return the sender that the claims of a verified token describe.

    Raises:
        ValueError: a claim is missing or has the wrong type.
    """
    address, visit = claims.get("address"), claims.get("visit")
    if not all(value is None or isinstance(value, str) for value in (address, visit)):
        raise ValueError("the address or the visit is not a text")
    names_principal = "sub" in claims or "roles" in claims
    return Sender(Principal.from_claims(claims) if names_principal else None, address, visit)


def _put(cache: dict[Any, Any], key: Any, value: Any) -> None:
    """Add an entry; when the cache is full, drop all others, which can be made again."""
    if len(cache) >= _CACHED:
        cache.clear()
    cache[key] = value
