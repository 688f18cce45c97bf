"""Follows the users service: its public keys, and the sessions and people whose access has ended."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from common.errors import SoukError
from common.http_client import RequestFailed
from serving.gateway.access_tokens import AccessTokens

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
        self._fetch = fetch
        self._tokens = tokens
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
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

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
