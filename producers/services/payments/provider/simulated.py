"""A simulated payment provider that moves no money. The token decides the outcome.

A payment with a token `tok_decline…` is declined. `tok_slow…` takes two seconds, and `tok_flaky…` fails twice
without a response. Payments with other tokens are captured, except for a share that is declined; the
payment's id decides which.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from common.settings import Settings
from producers.kit.postgres.errors import TRANSIENT
from producers.kit.postgres.pool import EVENT_CONNECTIONS, acquire_connection, make_pool
from producers.kit.postgres.roles import migrate_as_admin
from producers.kit.postgres.statements import statement
from producers.services.payments.provider import ChargeOutcome, ChargeRequest, ProviderUnavailable

SCHEMA = "provider"
"""The provider's own schema in PostgreSQL, which only this module uses."""

SLOW_S = 2.0
FLAKY_TRIES = 2


@dataclass(frozen=True, eq=False)
class SimulatedProvider:
    """A provider with its own tables."""

    pool: Any
    decline_share: float

    async def capture(self, charge: ChargeRequest) -> ChargeOutcome:
        """See `Provider.capture`."""
        if charge.token.startswith("tok_slow"):
            await asyncio.sleep(SLOW_S)
        async with self._connection() as sql:
            attempt = await _record_attempt(sql, charge)
            if attempt.outcome:
                return ChargeOutcome(attempt.outcome, attempt.reason)
            if charge.token.startswith("tok_flaky") and attempt.tries <= FLAKY_TRIES:
                raise ProviderUnavailable("the provider closed the connection")
            return await _settle(sql, charge, decide(charge, self.decline_share))

    async def void(self, charge: ChargeRequest) -> ChargeOutcome:
        """See `Provider.void`."""
        async with self._connection() as sql:
            await _record_attempt(sql, charge)
            return await _settle(sql, charge, ChargeOutcome("voided"))

    async def refund(self, refund_id: str, payment_id: str, amount_minor: int) -> None:
        """See `Provider.refund`."""
        async with self._connection() as sql:
            await _refund(sql, refund_id, payment_id, amount_minor)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with acquire_connection(self.pool) as connection:
                yield connection
        except TRANSIENT as error:
            raise ProviderUnavailable(f"the provider does not answer: {error}") from error


@dataclass(frozen=True, slots=True)
class _Attempt:
    tries: int
    outcome: Literal["captured", "declined", "voided"] | None
    """None until the charge is settled."""
    reason: str


@statement("""
    INSERT INTO charges (idempotency_key, amount_minor, currency)
    VALUES ($charge.payment_id::uuid, $charge.amount_minor::bigint, $charge.currency::text)
    ON CONFLICT (idempotency_key) DO UPDATE SET tries = charges.tries + 1
    RETURNING tries, outcome, reason
""")
async def _record_attempt(sql: Any, charge: ChargeRequest) -> _Attempt:
    """Record a call for a charge, and return what is known of the charge."""


@statement("""
    UPDATE charges
    SET outcome = coalesce(outcome, $outcome.kind::text),
        reason = CASE WHEN outcome IS NULL THEN $outcome.reason::text ELSE reason END
    WHERE idempotency_key = $charge.payment_id::uuid
    RETURNING outcome AS kind, reason
""")
async def _settle(sql: Any, charge: ChargeRequest, outcome: ChargeOutcome) -> ChargeOutcome:
    """Save and return an outcome unless the charge has one already: the first one is final."""


@statement("""
    WITH refund AS (
        INSERT INTO charge_refunds (idempotency_key, charge, amount_minor)
        VALUES ($refund_id::uuid, $payment_id::uuid, $amount_minor::bigint)
        ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING charge, amount_minor
    )
    UPDATE charges SET refunded_minor = refunded_minor + refund.amount_minor
    FROM refund
    WHERE charges.idempotency_key = refund.charge
""")
async def _refund(sql: Any, refund_id: str, payment_id: str, amount_minor: int) -> None:
    """Refund once. A constraint of the table refuses more than the captured amount."""


def decide(charge: ChargeRequest, decline_share: float) -> ChargeOutcome:
    """Return the outcome of a charge. It is always the same for the same payment."""
    draw = int.from_bytes(blake2b(charge.payment_id.encode(), digest_size=4).digest(), "big") / 2**32
    if charge.token.startswith("tok_decline"):
        return ChargeOutcome("declined", "declined")
    return (
        ChargeOutcome("declined", "insufficient_funds") if draw < decline_share else ChargeOutcome("captured")
    )


@asynccontextmanager
async def simulated_provider(settings: Settings) -> AsyncIterator[SimulatedProvider]:
    """Create the provider's tables and yield the provider.

    Raises:
        one of `producers.kit.postgres.errors.TRANSIENT`: its PostgreSQL does not answer.
    """
    await migrate_as_admin(settings, SCHEMA, {SCHEMA: Path(__file__).parent / "migrations"})
    async with make_pool(settings, SCHEMA, EVENT_CONNECTIONS) as pool:
        yield SimulatedProvider(pool, settings.payment_decline_share)
