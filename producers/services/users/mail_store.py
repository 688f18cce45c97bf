"""Reads and writes the mailbox, and the tokens of links in mails to registered people."""

from datetime import datetime
from typing import Any, Literal

from common.ids import new_id
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.services.users.mails import Mail
from producers.services.users.store import Person

SQL = load_queries(__file__)

PRUNE_MAILED_TOKENS = SQL["prune_mailed_tokens"]
PRUNE_MAILS = SQL["prune_mails"]
"""DELETEs for `producers.kit.postgres.pruning.prune`."""

MailedPurpose = Literal["password_reset", "email_change"]


async def insert_mailed_token(
    tx: Transaction,
    token_sha256: bytes,
    email: str,
    purpose: MailedPurpose,
    new_email: str | None,
    expires_at: datetime,
) -> bool:
    """Save a token for the person with an e-mail address; return False if there is none."""
    saved = await tx.sql.fetchval(
        SQL["insert_mailed_token"], token_sha256, email, purpose, new_email, expires_at
    )
    return saved is not None


async def find_mailed_token(
    sql: Any, token_sha256: bytes, purpose: MailedPurpose, now: datetime
) -> str | None:
    """Return the person of a token, or None if it was used or has expired."""
    user_id: str | None = await sql.fetchval(SQL["find_mailed_token"], token_sha256, purpose, now)
    return user_id


async def take_mailed_token(
    tx: Transaction, token_sha256: bytes, purpose: MailedPurpose
) -> tuple[str, str | None] | None:
    """Delete a token; return its person and new e-mail address, or None if it was used or has expired."""
    row = await tx.sql.fetchrow(SQL["take_mailed_token"], token_sha256, purpose, tx.now)
    return None if row is None else (row["user_id"], row["new_email"])


async def delete_mailed_tokens(tx: Transaction, user_id: str) -> None:
    """Delete all tokens in mails to a person."""
    await tx.sql.execute(SQL["delete_mailed_tokens"], user_id)


async def send_mail(
    tx: Transaction, mail: Mail, user_id: str | None = None, mail_id: str | None = None
) -> bool:
    """Put a mail into the mailbox; return False if too many of its kind went to its address.

    `user_id` is the person whose mail it is, if the address is not theirs yet. A mail whose `mail_id` is in
    the mailbox is sent already.
    """
    sent = await tx.sql.fetchval(
        SQL["send_mail"],
        mail_id or new_id(),
        user_id,
        mail.to,
        mail.kind,
        mail.subject,
        mail.text,
        tx.now,
    )
    return sent is not None


async def find_mails(sql: Any, to: str | None, limit: int) -> list[dict[str, Any]]:
    """Return mails, all or those to an address, the newest first."""
    return [dict(row) for row in await sql.fetch(SQL["find_mails"], to, limit)]


async def summarise_mails(sql: Any, since: datetime) -> list[dict[str, Any]]:
    """Return how many mails of each kind were made since a time, and when the newest was."""
    return [dict(row) for row in await sql.fetch(SQL["summarise_mails"], since)]


async def count_overdue_mails(sql: Any, due_before: datetime) -> int:
    """Return how many people wait for a weekly mail that was due before a time."""
    overdue: int = await sql.fetchval(SQL["count_overdue_mails"], due_before)
    return overdue


async def find_mails_of_person(sql: Any, person: Person) -> list[dict[str, Any]]:
    """Return the mails to a person, without their texts, which contain links that work."""
    return [dict(row) for row in await sql.fetch(SQL["find_mails_of_person"], person.user_id, person.email)]


async def assign_mails(tx: Transaction, person: Person) -> None:
    """Make all mails to a person's address theirs, because they get another address."""
    await tx.sql.execute(SQL["assign_mails"], person.user_id, person.email)


async def delete_mails(tx: Transaction, email: str) -> None:
    """Delete the mails to an address."""
    await tx.sql.execute(SQL["delete_mails"], email)
