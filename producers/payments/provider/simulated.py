"""A provider for shops without one: it answers by the token, keeps its promises, and moves no money.

`tok_decline…` is declined, `tok_slow…` takes two seconds, `tok_flaky…` fails twice without an answer; every
other is captured, but for a share that is declined by the payment's id, the same each time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from common.settings import Settings
from producers.payments.provider.api import Asked, Outcome, ProviderUnavailable
from producers.postgres.errors import AWAY
from producers.postgres.migrate import migrate
from producers.postgres.pool import EVENT_CONNECTIONS, acquired, connect, make_pool
from producers.postgres.queries import load_queries

SQL = load_queries(__file__)

SCHEMA = "provider"
"""It has nothing of the services' but the server; only this module knows it."""

SLOW_S = 2.0
FLAKY_TRIES = 2


class SimulatedProvider:
    """One provider over its own tables."""

    def __init__(self, pool: Any, decline_share: float) -> None:
        self._pool = pool
        self._decline_share = decline_share

    async def capture(self, asked: Asked) -> Outcome:
        """See `Provider.capture`."""
        if asked.token.startswith("tok_slow"):
            await asyncio.sleep(SLOW_S)
        async with self._books() as sql:
            tries, outcome, reason = await sql.fetchrow(
                SQL["note_try"], asked.payment_id, asked.amount_minor, asked.currency
            )
            if outcome:
                return Outcome(outcome, reason)
            if asked.token.startswith("tok_flaky") and tries <= FLAKY_TRIES:
                raise ProviderUnavailable("the provider hung up")
            return await self._settle(sql, asked, decide(asked, self._decline_share))

    async def void(self, asked: Asked) -> Outcome:
        """See `Provider.void`."""
        async with self._books() as sql:
            await sql.fetchrow(SQL["note_try"], asked.payment_id, asked.amount_minor, asked.currency)
            return await self._settle(sql, asked, Outcome("voided"))

    async def refund(self, refund_id: str, payment_id: str, amount_minor: int) -> None:
        """See `Provider.refund`."""
        async with self._books() as sql:
            await sql.execute(SQL["refund"], refund_id, payment_id, amount_minor)

    async def _settle(self, sql: Any, asked: Asked, outcome: Outcome) -> Outcome:
        return Outcome(*await sql.fetchrow(SQL["settle"], asked.payment_id, outcome.kind, outcome.reason))

    @asynccontextmanager
    async def _books(self) -> AsyncIterator[Any]:
        try:
            async with acquired(self._pool) as connection:
                yield connection
        except AWAY as error:
            raise ProviderUnavailable(f"the provider does not answer: {error}") from error


def decide(asked: Asked, decline_share: float) -> Outcome:
    """What becomes of a charge; the same for the same payment."""
    draw = int.from_bytes(blake2b(asked.payment_id.encode(), digest_size=4).digest(), "big") / 2**32
    if asked.token.startswith("tok_decline"):
        return Outcome("declined", "declined")
    return Outcome("declined", "insufficient_funds") if draw < decline_share else Outcome("captured")


@asynccontextmanager
async def simulated_provider(settings: Settings) -> AsyncIterator[SimulatedProvider]:
    """The provider, with its tables made.

    Raises:
        one of `producers.postgres.errors.AWAY`: its PostgreSQL does not answer.
    """
    connection = await connect(settings, SCHEMA)
    try:
        await migrate(connection, SCHEMA, {SCHEMA: Path(__file__).parent / "migrations"})
    finally:
        connection.terminate()
    async with make_pool(settings, SCHEMA, EVENT_CONNECTIONS) as pool:
        yield SimulatedProvider(pool, settings.payment_decline_share)
