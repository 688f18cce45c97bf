"""Reads and writes the messages of rules; each statement is a file in `queries/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.ids import new_id
from producers.kit.makers import Made
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.alerts.model import MessageKind
from producers.services.alerts.rules import Target

SQL = load_queries(__file__)

PRUNE_MESSAGES = SQL["prune_messages"]
"""A DELETE for `producers.kit.postgres.pruning.prune`."""


@dataclass(frozen=True, slots=True)
class MessageText:
    """A message as people read it, and as a webhook gets it."""

    subject: str
    body: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message to send now. `attempts` counts this attempt, too. `made` is about its rule.

    `is_approved` is whether its seller may sell now.
    """

    message_id: str
    seller_id: str
    rule_id: str
    kind: MessageKind
    subject: str
    body: str
    content: Mapping[str, Any]
    attempts: int
    target: Target
    made: Made
    is_approved: bool


async def find_subscriptions(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return the alerts and reports whose mails go to a person, the oldest first."""
    return [dict(row) for row in await sql.fetch(SQL["find_subscriptions"], user_id)]


async def summarise_messages(sql: Any, since: datetime) -> list[dict[str, Any]]:
    """Return by status how many messages wait, or were made since a time, and when the oldest was made."""
    return [dict(row) for row in await sql.fetch(SQL["summarise_messages"], since)]


async def skip_waiting(tx: Transaction, rule_id: str) -> None:
    """Skip the messages of a rule, except tests, that nobody has tried to send."""
    await tx.sql.execute(SQL["skip_waiting"], rule_id)


async def skip_every_waiting(tx: Transaction, rule_id: str) -> None:
    """Skip all messages of a rule that are not sent yet, also tests and those that are to be retried."""
    await tx.sql.execute(SQL["skip_every_waiting"], rule_id)


async def is_known(tx: Transaction, alert_id: str) -> bool:
    """Return whether a message about an alert was sent, or somebody has tried to send it."""
    known: bool = await tx.sql.fetchval(SQL["is_known"], alert_id)
    return known


async def find_last_send_at(tx: Transaction, rule_id: str) -> datetime | None:
    """Return when the last message of a rule was or will be sent; tests and skipped messages do not count."""
    at: datetime | None = await tx.sql.fetchval(SQL["find_last_send_at"], rule_id)
    return at


async def add_message(
    tx: Transaction,
    seller_id: str,
    rule_id: str,
    alert_id: str | None,
    kind: MessageKind,
    text: MessageText,
    send_at: datetime,
    is_sent: bool,
) -> str:
    """Add a message of a rule, and return its id. `is_sent`: it is only listed, so that it is done."""
    message_id = new_id()
    await tx.sql.execute(
        SQL["add_message"],
        message_id,
        seller_id,
        rule_id,
        alert_id,
        kind,
        "sent" if is_sent else "waiting",
        text.subject,
        text.body,
        text.content,
        tx.now,
        send_at,
        tx.now if is_sent else None,
    )
    return message_id


async def was_tested_since(tx: Transaction, rule_id: str, since: datetime) -> bool:
    """Return whether a test of a locked rule was made since a moment."""
    tested: bool = await tx.sql.fetchval(SQL["was_tested_since"], rule_id, since)
    return tested


async def find_messages(sql: Any, seller_id: str, before: str | None, limit: int) -> list[dict[str, Any]]:
    """Return messages of a seller as the API shows them, the newest first, older than `before`."""
    return [dict(row) for row in await sql.fetch(SQL["find_messages"], seller_id, before, limit)]


async def claim_messages(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[DueMessage]:
    """Return at most `limit` messages that are due. Nobody else gets them until `lease` has passed."""
    rows = await sql.fetch(SQL["claim_messages"], now, lease, limit)
    return [
        DueMessage(
            row["message_id"],
            row["seller_id"],
            row["rule_id"],
            row["kind"],
            row["subject"],
            row["body"],
            row["content"],
            row["attempts"],
            Target(row["target"], row["person_id"], None, row["url"], row["sealed_secret"]),
            Made(row["maker"], row["made_at"], row["seller_id"]),
            row["is_approved"],
        )
        for row in rows
    ]


async def end_message(tx: Transaction, message_id: str, error: str | None) -> bool:
    """Mark a message as sent or, with an error, as failed; return False if it was marked before."""
    return await tx.sql.fetchval(SQL["end_message"], message_id, tx.now, error) is not None


async def retry_message(sql: Any, message_id: str, send_at: datetime, error: str) -> None:
    """Send a message again later."""
    await sql.execute(SQL["retry_message"], message_id, send_at, error)
