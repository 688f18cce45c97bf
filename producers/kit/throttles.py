"""Slows down guesses: of a password, of the code of a voucher. A service that does has a table `throttles`.

An attempt counts as a failure until it has succeeded.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from common.principal_token import derived_key
from common.problems import ProblemKind
from common.settings import Settings
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement

Subjects = Mapping[bytes, int]
"""Subject → the failures that cost it no delay."""

FREE_FAILURES = 5
"""Wrong guesses of a subject that cost no delay."""

FREE_FAILURES_OF_ADDRESS = 20
"""The same for an address, behind which there may be many people."""

MAX_DELAY = timedelta(seconds=60)
"""The longest delay."""

FORGET_FAILURES_AFTER = timedelta(hours=24)

PRUNE_THROTTLES = (
    FORGET_FAILURES_AFTER,
    """
    DELETE FROM throttles
    WHERE subject IN (
        SELECT subject FROM throttles WHERE last_attempt_at < now() - $1::interval LIMIT $2::integer
    )
    """,
)
"""Deletes the throttles that count no more (`Service.expiring`)."""


def address_block(address: str) -> str:
    """Return the network whose guesses are counted together: an IPv4 address, or an IPv6 /64 network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class SubjectNames:
    """Names subjects, so that no table has the e-mail address or the network of anybody who guessed."""

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "throttle subjects")

    def of(self, kind: str, *parts: bytes) -> bytes:
        """Return the name of a subject."""
        return hmac.digest(self._key, b"\0".join((kind.encode(), *parts)), hashlib.sha256)

    def address(self, address: str) -> bytes:
        """Return the subject of guesses from an address."""
        return self.of("address", address_block(address).encode())


@dataclass(frozen=True, slots=True)
class Throttle:
    """The failed guesses of one subject, such as an account or an address."""

    subject: bytes
    free_failures: int
    failures: int
    blocked_until: datetime
    last_attempt_at: datetime

    def wait(self, now: datetime) -> timedelta:
        """Return how long the subject must wait; zero if it may guess now.

        `now` may be earlier than the last attempt, which held the lock of this row while another one began.
        """
        return max(self.blocked_until - max(now, self.last_attempt_at), timedelta(0))

    def failed(self, now: datetime) -> "Throttle":
        """Return the throttle after a failure. Every attempt counts as one until it has succeeded."""
        old = now - self.last_attempt_at > FORGET_FAILURES_AFTER
        failures = 1 if old else self.failures + 1
        attempt_at = max(now, self.last_attempt_at)
        return replace(
            self,
            failures=failures,
            blocked_until=attempt_at + delay_after(failures, self.free_failures),
            last_attempt_at=attempt_at,
        )

    def succeeded(self) -> "Throttle":
        """Return the throttle after an attempt that was counted as a failure has succeeded."""
        return replace(self, failures=max(self.failures - 1, 0), blocked_until=self.last_attempt_at)


def delay_after(failures: int, free_failures: int = FREE_FAILURES) -> timedelta:
    """Return the delay after this many failures: 1 s after the free ones, doubled each time, at most 60 s."""
    excess = failures - free_failures
    return timedelta(0) if excess < 0 else min(timedelta(seconds=2 ** min(excess, 16)), MAX_DELAY)


async def begin_attempt(tx: Transaction, subjects: Subjects, refusal: ProblemKind) -> None:
    """Count an attempt as failed. Concurrent attempts wait for each other, so that each is counted.

    Raises:
        refusal: a subject must wait (`seconds`). The attempt is not counted.
    """
    throttles = await _lock_throttles(tx, subjects)
    wait_s = max(each.wait(tx.now).total_seconds() for each in throttles)
    if wait_s > 0:
        seconds = max(ceil(wait_s), 1)
        raise refusal(seconds=seconds, retry_after_s=seconds)
    await _save(tx, [each.failed(tx.now) for each in throttles])


async def attempt_succeeded(tx: Transaction, subjects: Subjects) -> None:
    """Count an attempt as succeeded."""
    await _save(tx, [each.succeeded() for each in await _lock_throttles(tx, subjects)])


async def _lock_throttles(tx: Transaction, subjects: Subjects) -> list[Throttle]:
    """Lock and return the throttles of subjects, in one order."""
    ordered = sorted(subjects)
    await _insert_missing(tx, ordered)
    return [Throttle(free_failures=subjects[row["subject"]], **row) for row in await _lock(tx, ordered)]


@statement("""
    INSERT INTO throttles (subject, failures, blocked_until, last_attempt_at)
    SELECT subject, 0, $tx.now::timestamptz, $tx.now::timestamptz FROM unnest($subjects::bytea[]) AS subject
    ORDER BY subject
    ON CONFLICT (subject) DO NOTHING
""")
async def _insert_missing(tx: Transaction, subjects: Sequence[bytes]) -> None:
    """Insert a throttle of each subject that has none."""


@statement("""
    SELECT subject, failures, blocked_until, last_attempt_at FROM throttles
    WHERE subject = ANY ($subjects::bytea[])
    ORDER BY subject
    FOR UPDATE
""")
async def _lock(tx: Transaction, subjects: Sequence[bytes]) -> list[dict[str, Any]]:
    """Lock and return the throttles of subjects in their order."""


@statement("""
    UPDATE throttles
    SET failures = new.failures, blocked_until = new.blocked_until, last_attempt_at = new.last_attempt_at
    FROM unnest(
        $throttles.subject::bytea[], $throttles.failures::integer[],
        $throttles.blocked_until::timestamptz[], $throttles.last_attempt_at::timestamptz[]
    ) AS new (subject, failures, blocked_until, last_attempt_at)
    WHERE throttles.subject = new.subject
""")
async def _save(tx: Transaction, throttles: Sequence[Throttle]) -> None:
    """Save locked throttles."""


@statement("DELETE FROM throttles WHERE subject = ANY ($subjects::bytea[])")
async def clear_throttles(tx: Transaction, subjects: Sequence[bytes]) -> None:
    """Delete throttles."""
