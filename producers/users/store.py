"""Reads and writes the tables of people; each statement is a file in `queries/`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from common.ids import new_id
from producers.http.problems import ServiceNotReady
from producers.outbox.transaction import Transaction
from producers.postgres.errors import FUNCTION_UNAVAILABLE
from producers.postgres.queries import load_queries
from producers.users.mails import Mail
from producers.users.model import Throttle

SQL = load_queries(__file__)

PRUNE_REGISTRATIONS = SQL["prune_registrations"]
PRUNE_MAILED_TOKENS = SQL["prune_mailed_tokens"]
PRUNE_SESSIONS = SQL["prune_sessions"]
PRUNE_REVOCATIONS = SQL["prune_revocations"]
PRUNE_THROTTLES = SQL["prune_throttles"]
PRUNE_SIGN_INS = SQL["prune_sign_ins"]
PRUNE_MAILS = SQL["prune_mails"]
"""DELETEs for `producers.postgres.pruning.prune`."""

MAILS_AN_HOUR = 5
"""Mails of one kind to one address in an hour. More are not sent."""

MailedPurpose = Literal["password_reset", "email_change"]

_ORDER_LINE = (
    *("line_number", "product_id", "seller_id", "quantity", "unit_price_minor", "discount_minor"),
    *("shipping_minor", "tax_minor"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """What a sign-in finds under an e-mail address; all fields are None if there is nothing."""

    user_id: str | None
    password_hash: str | None
    registration_sha256: bytes | None
    """The registration that waits for the verification of the address."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person, with the encrypted link to their shopper id."""

    user_id: str
    email: str
    name: str
    password_hash: str | None
    role: Literal["analyst", "admin"] | None
    is_demo: bool
    sealed_shopper_id: bytes
    sealed_key: bytes
    verified_at: datetime
    suspended_at: datetime | None
    suspension_reason: str | None


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration whose e-mail address is not verified yet."""

    email: str
    name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token and its session, both locked."""

    session_id: str
    user_id: str
    expires_at: datetime
    ended_at: datetime | None
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as the person sees it in the list of sessions."""

    address: str
    device: str


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address of a person."""

    address_id: str
    recipient: str
    street: str
    city: str
    state: str | None
    postal_code: str | None
    country: str


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A signing key. The private part is None if the key signs no more."""

    kid: str
    public_jwk: str
    sealed_private_jwk: bytes | None
    signs_from: datetime


async def insert_registration(
    tx: Transaction, token_sha256: bytes, registration: Registration, expires_at: datetime
) -> None:
    """Save a registration until its e-mail address is verified."""
    await tx.sql.execute(
        SQL["insert_registration"],
        token_sha256,
        registration.email,
        registration.name,
        registration.password_hash,
        tx.now,
        expires_at,
    )


async def find_registration(sql: Any, token_sha256: bytes, now: datetime) -> Registration | None:
    """Return the registration of a token; None if the token was used or has expired."""
    row = await sql.fetchrow(SQL["find_registration"], token_sha256, now)
    return None if row is None else Registration(*row)


async def take_registration(tx: Transaction, token_sha256: bytes) -> bool:
    """Delete the registration of a token; return False if the token was used or has expired."""
    return await tx.sql.fetchval(SQL["take_registration"], token_sha256, tx.now) is not None


async def renew_registration(
    tx: Transaction, old_sha256: bytes, new_sha256: bytes, expires_at: datetime
) -> None:
    """Replace the token of a registration."""
    await tx.sql.execute(SQL["renew_registration"], old_sha256, new_sha256, expires_at)


async def delete_registrations(tx: Transaction, email: str) -> None:
    """Delete all registrations of an e-mail address."""
    await tx.sql.execute(SQL["delete_registrations"], email)


async def lock_email(tx: Transaction, email: str) -> None:
    """Let no other transaction give this e-mail address to a person until this one has ended."""
    await tx.sql.execute(SQL["lock_email"], email)


async def insert_person(tx: Transaction, person: Person) -> bool:
    """Insert a person; return False if their e-mail address belongs to somebody."""
    inserted = await tx.sql.fetchval(
        SQL["insert_person"],
        person.user_id,
        person.email,
        person.name,
        person.password_hash,
        person.role,
        person.is_demo,
        person.sealed_shopper_id,
        person.verified_at,
        person.sealed_key,
    )
    return inserted is not None


async def insert_pseudonym(tx: Transaction, shopper_id: str) -> None:
    """Record a shopper id that `shopper_registered` names."""
    await tx.sql.execute(SQL["insert_pseudonym"], shopper_id, tx.now)


async def find_account(sql: Any, email: str, now: datetime) -> Account:
    """Return what can be signed in to with an e-mail address."""
    return Account(*await sql.fetchrow(SQL["find_account"], email, now))


async def find_person(sql: Any, user_id: str) -> Person | None:
    """Return a person."""
    row = await sql.fetchrow(SQL["find_person"], user_id)
    return None if row is None else Person(*row)


async def lock_person(tx: Transaction, user_id: str) -> Person | None:
    """Lock and return a person. Every change of their rights and sessions takes this lock first."""
    row = await tx.sql.fetchrow(SQL["lock_person"], user_id)
    return None if row is None else Person(*row)


async def find_person_by_email(sql: Any, email: str) -> str | None:
    """Return the id of the person with an e-mail address."""
    user_id: str | None = await sql.fetchval(SQL["find_person_by_email"], email)
    return user_id


async def find_memberships(sql: Any, user_id: str) -> dict[str, Any]:
    """Return the sellers for which a person works, with the staff role."""
    return {row["seller_id"]: row["role"] for row in await sql.fetch(SQL["find_memberships"], user_id)}


async def search_people(
    sql: Any, text: str | None, after: tuple[datetime, str] | None, limit: int
) -> list[dict[str, Any]]:
    """Return people whose e-mail address or name contains a text, the newest first."""
    verified_at, user_id = after or (None, None)
    return [dict(row) for row in await sql.fetch(SQL["search_people"], text, verified_at, user_id, limit)]


async def set_name(tx: Transaction, user_id: str, name: str) -> None:
    """Set a person's name."""
    await tx.sql.execute(SQL["set_name"], user_id, name)


async def set_email(tx: Transaction, user_id: str, email: str) -> None:
    """Set a person's e-mail address, which is locked and belongs to nobody."""
    await tx.sql.execute(SQL["set_email"], user_id, email)


async def set_password(tx: Transaction, user_id: str, password_hash: str) -> None:
    """Set the hash of a person's password."""
    await tx.sql.execute(SQL["set_password"], user_id, password_hash)


async def set_role(tx: Transaction, user_id: str, role: str | None) -> None:
    """Set the role that a person has besides `shopper`."""
    await tx.sql.execute(SQL["set_role"], user_id, role)


async def set_suspension(tx: Transaction, user_id: str, at: datetime | None, reason: str | None) -> None:
    """Suspend a person, or end their suspension (None)."""
    await tx.sql.execute(SQL["set_suspension"], user_id, at, reason)


async def lock_admins(tx: Transaction) -> set[str]:
    """Lock and return the administrators who can sign in."""
    return {row["user_id"] for row in await tx.sql.fetch(SQL["lock_admins"])}


async def delete_person(tx: Transaction, user_id: str) -> None:
    """Delete a person, with their key, links, sessions, attempts to sign in, addresses and mails."""
    await tx.sql.execute(SQL["delete_person"], user_id)


async def erase_pseudonym(tx: Transaction, shopper_id: str) -> None:
    """Record that the person behind a shopper id was erased."""
    await tx.sql.execute(SQL["erase_pseudonym"], shopper_id, tx.now)


async def forget_membership(tx: Transaction, user_id: str, email: str) -> None:
    """Delete what the service sellers has of a person.

    Raises:
        ServiceNotReady: that service has not created or granted its function yet.
    """
    try:
        await tx.sql.execute(SQL["forget_membership"], user_id, email)
    except FUNCTION_UNAVAILABLE as error:
        raise ServiceNotReady("sellers") from error


async def revoke_keys(tx: Transaction, user_id: str, revoked_by: str) -> None:
    """Revoke the API keys of sellers that a person made.

    Raises:
        ServiceNotReady: the service sellers has not created or granted its function yet.
    """
    try:
        await tx.sql.execute(SQL["revoke_keys"], user_id, revoked_by)
    except FUNCTION_UNAVAILABLE as error:
        raise ServiceNotReady("sellers") from error


async def link_guest(tx: Transaction, digest: bytes, user_id: str, sealed_guest_id: bytes) -> None:
    """Link a guest's id to a person, unless it is linked already."""
    await tx.sql.execute(SQL["link_guest"], digest, user_id, sealed_guest_id, tx.now)


async def find_guests(sql: Any, user_id: str, limit: int | None) -> list[bytes]:
    """Return the encrypted ids of a person's time as a guest, the newest first."""
    return [row["sealed_guest_id"] for row in await sql.fetch(SQL["find_guests"], user_id, limit)]


async def open_session(
    tx: Transaction,
    user_id: str,
    client: Client,
    opened_at: datetime,
    expires_at: datetime,
    token_sha256: bytes,
) -> str:
    """Open a session with its first refresh token; return its id."""
    session_id = new_id()
    await tx.sql.execute(
        SQL["open_session"],
        session_id,
        user_id,
        client.device,
        client.address,
        opened_at,
        expires_at,
        token_sha256,
    )
    return session_id


async def find_refresh_token(sql: Any, token_sha256: bytes) -> str | None:
    """Return the person of a refresh token."""
    user_id: str | None = await sql.fetchval(SQL["find_refresh_token"], token_sha256)
    return user_id


async def lock_refresh_token(tx: Transaction, token_sha256: bytes) -> RefreshToken | None:
    """Lock and return a refresh token and its session. The person is locked already."""
    row = await tx.sql.fetchrow(SQL["lock_refresh_token"], token_sha256)
    return None if row is None else RefreshToken(*row)


async def replace_refresh_token(
    tx: Transaction, old_sha256: bytes, new_sha256: bytes, now: datetime, expires_at: datetime, address: str
) -> None:
    """Replace a refresh token, and record the use of its session."""
    await tx.sql.execute(SQL["replace_refresh_token"], old_sha256, new_sha256, now, expires_at, address)


async def end_session(tx: Transaction, user_id: str, session_id: str, at: datetime) -> bool:
    """End a session of a person; return False if they have no such session."""
    return await tx.sql.fetchval(SQL["end_session"], user_id, session_id, at) is not None


async def end_sessions(tx: Transaction, user_id: str, at: datetime, but: str | None = None) -> list[str]:
    """End all sessions of a person except one; return the ended ones."""
    return [row["session_id"] for row in await tx.sql.fetch(SQL["end_sessions"], user_id, at, but)]


async def find_sessions(sql: Any, user_id: str, now: datetime) -> list[dict[str, Any]]:
    """Return a person's sessions that have not ended, the last used first."""
    return [dict(row) for row in await sql.fetch(SQL["find_sessions"], user_id, now)]


async def find_all_sessions(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return a person's sessions, also those that have ended."""
    return [dict(row) for row in await sql.fetch(SQL["find_all_sessions"], user_id)]


async def revoke_session(tx: Transaction, session_id: str, now: datetime) -> None:
    """Revoke the access tokens of a session."""
    await tx.sql.execute(SQL["revoke_access"], session_id, None, now)


async def revoke_person(tx: Transaction, user_id: str, before: datetime) -> None:
    """Revoke the access tokens that a person got before a moment. The person is locked."""
    await tx.sql.execute(SQL["revoke_access"], None, user_id, before)


async def find_revocations(sql: Any, after: int) -> list[dict[str, Any]]:
    """Return the revocations after a position."""
    return [dict(row) for row in await sql.fetch(SQL["find_revocations"], after)]


async def delete_revocations(tx: Transaction, user_id: str) -> None:
    """Delete the revocations that name a person, not those that name one of their sessions."""
    await tx.sql.execute(SQL["delete_revocations"], user_id)


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


async def lock_throttles(tx: Transaction, free_failures: dict[bytes, int]) -> list[Throttle]:
    """Lock and return the throttles of subjects (subject → failures without a delay), in one order."""
    subjects = sorted(free_failures)
    await tx.sql.execute(SQL["insert_missing_throttles"], subjects, tx.now)
    rows = await tx.sql.fetch(SQL["lock_throttles"], subjects)
    return [Throttle(row["subject"], free_failures[row["subject"]], *tuple(row)[1:]) for row in rows]


async def save_throttles(tx: Transaction, throttles: Iterable[Throttle]) -> None:
    """Save locked throttles."""
    saved = list(throttles)
    await tx.sql.execute(
        SQL["save_throttles"],
        [each.subject for each in saved],
        [each.failures for each in saved],
        [each.blocked_until for each in saved],
        [each.last_attempt_at for each in saved],
    )


async def clear_throttles(tx: Transaction, subjects: Sequence[bytes]) -> None:
    """Delete throttles."""
    await tx.sql.execute(SQL["clear_throttles"], list(subjects))


async def insert_sign_in(tx: Transaction, user_id: str | None, client: Client) -> str:
    """Record an attempt to sign in; return its id."""
    sign_in_id = new_id()
    await tx.sql.execute(SQL["insert_sign_in"], sign_in_id, user_id, tx.now, client.address, client.device)
    return sign_in_id


async def set_sign_in_succeeded(tx: Transaction, sign_in_id: str) -> None:
    """Record that an attempt to sign in has succeeded."""
    await tx.sql.execute(SQL["set_sign_in_succeeded"], sign_in_id)


async def find_sign_ins(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return a person's attempts to sign in."""
    return [dict(row) for row in await sql.fetch(SQL["find_sign_ins"], user_id)]


async def send_mail(tx: Transaction, mail: Mail, user_id: str | None = None) -> bool:
    """Put a mail into the mailbox; return False if too many of its kind went to its address.

    `user_id` is the person whose mail it is, if the address is not theirs yet.
    """
    sent = await tx.sql.fetchval(
        SQL["send_mail"],
        new_id(),
        mail.to,
        mail.kind,
        mail.subject,
        mail.text,
        tx.now,
        tx.now - timedelta(hours=1),
        MAILS_AN_HOUR,
        user_id,
    )
    return sent is not None


async def find_mails(sql: Any, to: str | None, limit: int) -> list[dict[str, Any]]:
    """Return mails, all or those to an address, the newest first."""
    return [dict(row) for row in await sql.fetch(SQL["find_mails"], to, limit)]


async def find_mails_of_person(sql: Any, person: Person) -> list[dict[str, Any]]:
    """Return the mails to a person, without their texts, which contain links that work."""
    return [dict(row) for row in await sql.fetch(SQL["find_mails_of_person"], person.user_id, person.email)]


async def assign_mails(tx: Transaction, person: Person) -> None:
    """Make all mails to a person's address theirs, because they get another address."""
    await tx.sql.execute(SQL["assign_mails"], person.user_id, person.email)


async def delete_mails(tx: Transaction, email: str) -> None:
    """Delete the mails to an address."""
    await tx.sql.execute(SQL["delete_mails"], email)


async def find_addresses(sql: Any, user_id: str) -> list[Address]:
    """Return a person's addresses."""
    return [Address(*row) for row in await sql.fetch(SQL["find_addresses"], user_id)]


async def save_address(tx: Transaction, user_id: str, address: Address) -> None:
    """Save an address of a person, new or changed."""
    await tx.sql.execute(
        SQL["save_address"],
        user_id,
        address.address_id,
        address.recipient,
        address.street,
        address.city,
        address.state,
        address.postal_code,
        address.country,
        tx.now,
    )


async def delete_address(tx: Transaction, user_id: str, address_id: str) -> bool:
    """Delete an address of a person; return False if they have no such address."""
    return await tx.sql.fetchval(SQL["delete_address"], user_id, address_id) is not None


async def find_signing_keys(sql: Any) -> list[StoredKey]:
    """Return all signing keys, the oldest first."""
    return [StoredKey(*row) for row in await sql.fetch(SQL["find_signing_keys"])]


async def lock_signing_keys(tx: Transaction) -> None:
    """Let no other transaction change the keys until this one has ended."""
    await tx.sql.execute(SQL["lock_signing_keys"])


async def insert_signing_key(tx: Transaction, key: StoredKey) -> None:
    """Save a new signing key."""
    await tx.sql.execute(
        SQL["insert_signing_key"], key.kid, key.public_jwk, key.sealed_private_jwk, key.signs_from
    )


async def retire_signing_keys(tx: Transaction, no_private: Sequence[str], deleted: Sequence[str]) -> None:
    """Delete the private parts of some keys, and other keys completely."""
    await tx.sql.execute(SQL["delete_private_keys"], list(no_private))
    await tx.sql.execute(SQL["delete_signing_keys"], list(deleted))


async def set_demo(tx: Transaction, enabled: bool) -> None:
    """Enable or disable the demo."""
    await tx.sql.execute(SQL["enable_demo"] if enabled else SQL["disable_demo"])


async def lock_demo(tx: Transaction) -> bool:
    """Lock the demo, and return whether it is available."""
    await tx.sql.execute(SQL["lock_demo"])
    return await is_demo_available(tx.sql)


async def is_demo_available(sql: Any) -> bool:
    """Return whether the demo is enabled and no real person is registered."""
    available: bool = await sql.fetchval(SQL["is_demo_available"])
    return available


async def find_demo_people(tx: Transaction) -> list[str]:
    """Return the people of the demo who have a session."""
    return [row["user_id"] for row in await tx.sql.fetch(SQL["find_demo_people"])]


async def insert_demo_membership(tx: Transaction, user_id: str, seller_id: str) -> None:
    """Make a new demo person the owner of a seller."""
    await tx.sql.execute(SQL["insert_demo_membership"], user_id, seller_id)


async def find_orders(sql: Any, shopper_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the orders of shopper ids with their lines, from the tables of orders.

    Raises:
        ServiceNotReady: orders has not created or granted its tables yet.
    """
    try:
        rows = await sql.fetch(SQL["find_orders"], list(shopper_ids))
    except (*FUNCTION_UNAVAILABLE, asyncpg.UndefinedTableError) as error:
        raise ServiceNotReady("orders") from error
    return [
        {**row, "lines": [dict(zip(_ORDER_LINE, line, strict=True)) for line in row["lines"]]} for row in rows
    ]
