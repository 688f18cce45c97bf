"""Verifies API keys with the sellers service, and keeps the results for a few seconds."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from common.principal import Principal
from common.problems import problem
from producers.services.sellers.api_keys import is_well_formed

PREFIX = "souk_"
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
