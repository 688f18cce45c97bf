"""Reads and writes people, their addresses and their pseudonyms; each statement is a file in `queries/`.

Sessions, sign-ins, mails, registrations, signing keys and the demo have modules of their own beside it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.queries import load_queries
from producers.kit.postgres.statements import statement

SQL = load_queries(__file__)


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
class Rights:
    """The role of a person besides `shopper`. What they made up to `since`, if it is given, has ended."""

    role: Literal["analyst", "admin"] | None
    since: datetime | None


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


async def find_registered(sql: Any, email: str) -> str | None:
    """Return the id of the person with an e-mail address, unless they are of the demo."""
    user_id: str | None = await sql.fetchval(SQL["find_registered"], email)
    return user_id


async def find_rights(sql: Any, user_id: str) -> Rights | None:
    """Return a person's role, and since when what they make counts; None if they may do nothing now."""
    row = await sql.fetchrow(SQL["find_rights"], user_id)
    return None if row is None else Rights(*row)


async def find_memberships(sql: Any, user_id: str, also_suspended: bool = False) -> dict[str, Any]:
    """Return the sellers for which a person works, with the staff role.

    Those that may not sell now are left out, unless `also_suspended` is set: for services that know who may
    sell themselves, perhaps from a copy that is newer than the one here.
    """
    rows = await sql.fetch(SQL["find_memberships"], user_id, also_suspended)
    return {row["seller_id"]: row["role"] for row in rows}


async def save_staff_role(tx: Transaction, user_id: str, seller_id: str, role: str | None) -> bool:
    """Save the role of a locked person at a seller; None if they have none. Return whether it has changed."""
    if role is None:
        return await tx.sql.fetchval(SQL["delete_staff_role"], user_id, seller_id) is not None
    return await tx.sql.fetchval(SQL["save_staff_role"], user_id, seller_id, role) is not None


@statement("""
    WITH staff AS (
        SELECT user_id FROM staff_roles WHERE seller_id = $seller_id::text
        UNION
        SELECT user_id FROM demo_memberships WHERE seller_id = $seller_id::text
        UNION
        SELECT user_id FROM former_staff_roles
        WHERE seller_id = $seller_id::text AND ended_at > $since::timestamptz
    ), known AS (
        SELECT
            user_id,
            regexp_replace(email, '[+][^@]*@', '@') AS mailbox,
            array(
                SELECT lower(
                    regexp_replace(
                        concat_ws('|', street, city, postal_code, country), '[^[:alnum:]|]', '', 'g'
                    )
                )
                FROM addresses WHERE addresses.user_id = people.user_id
            ) AS places
        FROM people
        WHERE user_id = $user_id::uuid OR user_id IN (SELECT user_id FROM staff)
    )
    SELECT EXISTS (
        SELECT FROM known AS author
        JOIN known AS member ON member.user_id IN (SELECT user_id FROM staff)
        WHERE author.user_id = $user_id::uuid AND (
            member.user_id = author.user_id
            OR member.mailbox = author.mailbox
            OR member.places && author.places
        )
    )
""")
async def is_related(sql: Any, user_id: str, seller_id: str, since: datetime) -> bool:
    """Return whether a person is close to somebody who has worked for a seller since a moment, or is them."""


async def revoke_staff(tx: Transaction, seller_id: str) -> None:
    """End the access tokens that the staff of a seller has now."""
    await tx.sql.execute(SQL["revoke_staff"], seller_id)


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
    await tx.sql.execute(SQL["set_suspension"], user_id, at, reason, tx.now)


async def lock_admins(tx: Transaction) -> set[str]:
    """Lock and return the administrators who can sign in."""
    return {row["user_id"] for row in await tx.sql.fetch(SQL["lock_admins"])}


async def delete_person(tx: Transaction, user_id: str) -> None:
    """Delete a person, with their key, links, sessions, attempts to sign in, addresses and mails."""
    await tx.sql.execute(SQL["delete_person"], user_id)


async def erase_pseudonym(tx: Transaction, shopper_id: str) -> None:
    """Record that the person behind a shopper id was erased."""
    await tx.sql.execute(SQL["erase_pseudonym"], shopper_id, tx.now)


async def link_guest(tx: Transaction, digest: bytes, user_id: str, sealed_guest_id: bytes) -> None:
    """Link a guest's id to a person, unless it is linked already."""
    await tx.sql.execute(SQL["link_guest"], digest, user_id, sealed_guest_id, tx.now)


async def find_guests(sql: Any, user_id: str, limit: int | None) -> list[bytes]:
    """Return the encrypted ids of a person's time as a guest, the newest first."""
    return [row["sealed_guest_id"] for row in await sql.fetch(SQL["find_guests"], user_id, limit)]


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
