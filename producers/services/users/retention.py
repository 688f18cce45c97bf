"""Deletes what the service needs no more: ended sessions, unused tokens, old mails, attempts to sign in."""

import asyncio
from datetime import timedelta

from common.settings import Settings
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.pruning import prune
from producers.services.users import mail_store, registration_store, session_store, sign_in_store
from producers.services.users.model import FORGET_FAILURES_AFTER, REVOCATION_LIFETIME, SESSION_LIFETIME

MAILS_KEPT = timedelta(days=7)
SIGN_INS_KEPT = timedelta(days=90)

KEPT: tuple[tuple[str, str, timedelta], ...] = (
    ("registrations", registration_store.PRUNE_REGISTRATIONS, timedelta(0)),
    ("mailed tokens", mail_store.PRUNE_MAILED_TOKENS, timedelta(0)),
    ("sessions", session_store.PRUNE_SESSIONS, SESSION_LIFETIME),
    ("revocations", session_store.PRUNE_REVOCATIONS, REVOCATION_LIFETIME),
    ("throttles", sign_in_store.PRUNE_THROTTLES, FORGET_FAILURES_AFTER),
    ("sign-ins", sign_in_store.PRUNE_SIGN_INS, SIGN_INS_KEPT),
    ("mails", mail_store.PRUNE_MAILS, MAILS_KEPT),
)
"""Name, DELETE and minimum age. Ended sessions are kept as long as a stolen refresh token might be tried."""


async def prune_tables(transactions: Transactions, _settings: Settings) -> None:
    """Delete old rows once an hour, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for name, statement, age in KEPT:
            group.create_task(prune(f"users {name}", transactions, statement, age), name=f"users {name}")
