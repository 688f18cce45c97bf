"""A response of server-sent events to one reader, which holds a slot and ends with the reader's access."""

from collections.abc import AsyncIterable, Callable
from typing import Any

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from common.access_policy import AccessPolicy
from serving.gateway.gateway import GatewayDomain
from serving.kit.domain import opened


class LiveStream(EventSourceResponse):
    """The stream of one reader. `end` is called when the response has ended."""

    def __init__(
        self,
        request: Request,
        policy: AccessPolicy,
        end: Callable[[], None],
        events: AsyncIterable[ServerSentEvent],
        **options: Any,
    ) -> None:
        """`policy` is that of the route; `options` are those of `EventSourceResponse`."""
        self._request, self._policy, self._end = request, policy, end
        super().__init__(events, headers={"Cache-Control": "no-store"}, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events, and give the slot back in the end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()

    @property
    def moves(self) -> bool:
        """Whether the stream ends because this process is stopping.

        The reader still has access: a browser connects again by itself, to another process.
        """
        return opened(self._request, GatewayDomain).stopping.has_begun

    async def has_access(self) -> bool:
        """Return whether the reader may still read, and may do so here."""
        guard = opened(self._request, GatewayDomain).guard
        return not self.moves and await guard.still_allows(self._request, self._policy)
