"""Reads and writes who agreed to mails with recommendations, and when the next one is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries

SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Since when a person gets mails with recommendations, and when the last one was sent."""

    agreed_at: datetime
    mailed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DueMail:
    """A person whose mail is due. Nobody else sends it before `leased_until`, which identifies the claim."""

    user_id: str
    leased_until: datetime


async def agree(tx: Transaction, user_id: str, first_after: timedelta) -> None:
    """Record that a person agrees. People of the demo, who have no address, are left out."""
    await tx.sql.execute(SQL["agree_to_recommendation_mails"], user_id, tx.now, first_after)


async def end(tx: Transaction, user_id: str) -> None:
    """Record that a person wants no mails with recommendations."""
    await tx.sql.execute(SQL["end_recommendation_mails"], user_id)


async def find_agreement(sql: Any, user_id: str) -> Agreement | None:
    """Return what a person agreed to; None if they get no such mails."""
    row = await sql.fetchrow(SQL["find_recommendation_mails"], user_id)
    return None if row is None else Agreement(*row)


async def claim_due(sql: Any, now: datetime, lease: timedelta, limit: int) -> Sequence[DueMail]:
    """Claim at most `limit` people whose mail is due, those who have waited longest first."""
    return [DueMail(*row) for row in await sql.fetch(SQL["claim_recommendation_mails"], now, lease, limit)]


async def postpone(sql: Any, due: DueMail, until: datetime, *, mailed_at: datetime | None = None) -> bool:
    """Set when the next mail is due; return False if the person has withdrawn or the lease has ended."""
    arguments = due.user_id, due.leased_until, until, mailed_at is not None, mailed_at
    return await sql.fetchval(SQL["postpone_recommendation_mail"], *arguments) is not None
