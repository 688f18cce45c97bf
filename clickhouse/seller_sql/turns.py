"""Runs the queries of one seller one after another, so that one seller can't occupy the threads of all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clickhouse.sql_guard.errors import DatabaseError

MAX_WAITING = 1
"""Queries of a seller that may wait for the end of the running one; further ones are refused."""


class SellerTurns:
    """The sellers with a running query. Use it from one event loop only."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Lock] = {}
        self._counts: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, seller_id: str) -> AsyncIterator[None]:
        """Wait until no other query of this seller runs, and hold the turn. An empty id needs no turn.

        Raises:
            DatabaseError: 202, another query of the seller is waiting already.
        """
        if not seller_id:
            yield
            return
        count = self._counts.get(seller_id, 0)
        if count > MAX_WAITING:
            message = f"Too many simultaneous queries of this seller. Maximum: {1 + MAX_WAITING}."
            raise DatabaseError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", message)
        self._counts[seller_id] = count + 1
        try:
            async with self._running.setdefault(seller_id, asyncio.Lock()):
                yield
        finally:
            self._counts[seller_id] -= 1
            if not self._counts[seller_id]:
                del self._counts[seller_id], self._running[seller_id]
