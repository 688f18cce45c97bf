"""Knows whether the past was counted: the events from before the first figures of the platform.

A new platform may begin with years of events. Until they are counted, figures are far too low, and `/ready`
is 503. Once they were counted, old figures never make a process unready again: they are the same in all
processes, and what does not depend on them, such as the checkout, must go on.
"""

from time import monotonic

from redis.asyncio import Redis
from redis.exceptions import RedisError

from serving.ops.schemas import FiguresState

KEY = "figures_counted"
"""The key in Redis that says to all processes, also later ones, that the past was counted."""

SETTLED_S = 30.0
"""Old events, such as a replay of earlier years, are counted if no message waited for this long."""


class CountedPast:
    """Whether the past was counted. Processes share the answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.is_counted = False
        """Whether this process knows that it was counted."""
        self._settled_since: float | None = None

    async def reason(self, figures: FiguresState | None) -> str:
        """Return why the past is not counted yet; empty if it is, if there is none, or if nobody can say."""
        if self.is_counted or figures is None:
            return ""
        if figures["catching_up"]:
            self._settled_since = None
            return "" if await self._was_counted() else _reason(figures)
        if figures["as_of"] is not None and self._is_settled(figures):
            await self._note()
        return ""

    def _is_settled(self, figures: FiguresState) -> bool:
        if figures["current"]:
            return True
        if figures["messages_behind"] is None:
            return False
        if self._settled_since is None:
            self._settled_since = monotonic()
        return monotonic() - self._settled_since >= SETTLED_S

    async def _was_counted(self) -> bool:
        try:
            self.is_counted = bool(await self._redis.exists(KEY))
        except RedisError:
            return True  # Redis itself is named as missing
        return self.is_counted

    async def _note(self) -> None:
        try:
            await self._redis.set(KEY, 1)
        except RedisError:
            return  # the next check writes it
        self.is_counted = True


def _reason(figures: FiguresState) -> str:
    as_of = figures["as_of"]
    reached = (
        f"figures are complete up to {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "there are no figures yet"
    )
    return f"the past is still being counted: {figures['messages_behind']:,} messages are left, and {reached}"
