"""Reads and writes people, what they may do, and their addresses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.principal import FIGURES_STAFF, StaffRole
from producers.kit.http.pages import Position
from producers.kit.http.problems import require
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.users.model import ChosenRole
from producers.services.users.problems import LAST_ADMINISTRATOR, UNKNOWN_PERSON


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """A person as administrators see them."""

    user_id: str
    email: str
    name: str
    role: ChosenRole
    is_demo: bool
    verified_at: datetime
    suspended_at: datetime | None
    suspension_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(PersonSummary):
    """A person, with the hash of their password and the encrypted link to their shopper id."""

    password_hash: str | None
    sealed_shopper_id: bytes
    sealed_key: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """What a sign-in finds under an e-mail address; all fields are None if there is nothing."""

    user_id: str | None
    password_hash: str | None
    registration_sha256: bytes | None
    """The registration that waits for the verification of the address."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The role of a person. What they made up to `since`, if it is given, has ended."""

    role: ChosenRole
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


@statement("SELECT pg_advisory_xact_lock(hashtextextended('users email ' || $email::text, 0))")
async def lock_email(tx: Transaction, email: str) -> None:
    """Let no other transaction give this e-mail address to a person until this one has ended."""


@statement("""
    WITH person AS (
        INSERT INTO people (
            user_id, email, name, password_hash, role, is_demo, sealed_shopper_id, verified_at
        )
        VALUES (
            $person.user_id::uuid, $person.email::text, $person.name::text, $person.password_hash::text,
            nullif($person.role::text, 'shopper'), $person.is_demo::boolean, $person.sealed_shopper_id::bytea,
            $person.verified_at::timestamptz
        )
        ON CONFLICT (email) DO NOTHING
        RETURNING user_id
    )
    INSERT INTO person_keys (user_id, sealed_key) SELECT user_id, $person.sealed_key::bytea FROM person
    RETURNING true
""")
async def insert_person(tx: Transaction, person: Person) -> bool:
    """Insert a person; return False if their e-mail address belongs to somebody."""


@statement("""
    SELECT
        person.user_id,
        coalesce(person.password_hash, registration.password_hash) AS password_hash,
        registration.token_sha256 AS registration_sha256
    FROM (SELECT $email::text AS email) AS asked
    LEFT JOIN people AS person ON person.email = asked.email
    LEFT JOIN LATERAL (
        SELECT token_sha256, password_hash FROM registrations
        WHERE registrations.email = asked.email AND expires_at > $now::timestamptz AND person.user_id IS NULL
        ORDER BY registered_at DESC
        LIMIT 1
    ) AS registration ON true
""")
async def find_account(sql: Any, email: str, now: datetime) -> Account:
    """Return what can be signed in to with an e-mail address.

    The password is a person's, or that of the newest registration that waits for its verification.
    """


_PERSON = """
    SELECT
        user_id, email, name, password_hash, coalesce(role, 'shopper') AS role, is_demo, sealed_shopper_id,
        sealed_key, verified_at, suspended_at, suspension_reason
    FROM people JOIN person_keys USING (user_id)
    WHERE user_id = $user_id::uuid
"""


@statement(_PERSON)
async def find_person(sql: Any, user_id: str) -> Person | None:
    """Return a person."""


@statement(_PERSON + "FOR UPDATE OF people")
async def lock_person(tx: Transaction, user_id: str) -> Person | None:
    """Lock and return a person. Every change of their rights and sessions takes this lock first."""


async def require_person(sql: Any, user_id: str) -> Person:
    """Return a person.

    Raises:
        UNKNOWN_PERSON: there is none; perhaps they were erased.
    """
    return require(await find_person(sql, user_id), UNKNOWN_PERSON())


async def require_locked_person(tx: Transaction, user_id: str) -> Person:
    """Lock and return a person.

    Raises:
        UNKNOWN_PERSON: there is none; perhaps they were erased.
    """
    return require(await lock_person(tx, user_id), UNKNOWN_PERSON())


@statement("SELECT user_id FROM people WHERE email = $email::text")
async def find_person_by_email(sql: Any, email: str) -> str | None:
    """Return the id of the person with an e-mail address."""


@statement("SELECT user_id FROM people WHERE email = $email::text AND NOT is_demo")
async def find_registered(sql: Any, email: str) -> str | None:
    """Return the id of the person with a verified e-mail address, unless they are of the demo."""


@statement("""
    SELECT user_id, email, name, coalesce(role, 'shopper') AS role, is_demo, verified_at, suspended_at,
        suspension_reason
    FROM people
    WHERE ($text::text IS NULL OR position(lower($text::text) IN lower(email)) > 0
        OR position(lower($text::text) IN lower(name)) > 0)
        AND (verified_at, user_id) < ($after.at::timestamptz, $after.row_id::uuid)
    ORDER BY verified_at DESC, user_id DESC
    LIMIT $limit::integer
""")
async def search_people(sql: Any, text: str | None, after: Position, limit: int) -> list[PersonSummary]:
    """Return people whose e-mail address or name contains a text, the newest first."""


@statement("""
    SELECT coalesce(role, 'shopper') AS role, rights_since AS since
    FROM people
    WHERE user_id = $user_id::uuid
        AND suspended_at IS NULL
        AND (NOT is_demo OR (SELECT enabled AND NOT EXISTS (SELECT FROM people WHERE NOT is_demo) FROM demo))
""")
async def find_rights(sql: Any, user_id: str) -> Rights | None:
    """Return a person's role, and since when what they make counts; None if they may do nothing now.

    A suspended person may do nothing, nor may one of a demo that is not available.
    """


@statement("""
    SELECT seller_id, 'owner' AS role FROM demo_memberships WHERE user_id = $user_id::uuid
    UNION ALL
    SELECT seller_id, role
    FROM staff_roles LEFT JOIN seller_status USING (seller_id)
    WHERE user_id = $user_id::uuid AND (coalesce(approved, true) OR $also_suspended::boolean)
    ORDER BY seller_id
""")
async def find_memberships(sql: Any, user_id: str, also_suspended: bool = False) -> dict[str, StaffRole]:
    """Return the sellers for which a person works, with the staff role.

    Those that may not sell now are left out, unless `also_suspended` is set: for services that know who may
    sell themselves, perhaps from a copy that is newer than the one here. Sellers gives a role only at a
    seller that was approved, so one whose status has not arrived yet counts as approved.
    """


async def may_see_figures(sql: Any, user_id: str, seller_id: str) -> bool:
    """Return whether a person may do anything now, and works for a seller in a role that sees its figures.

    The service that asks knows itself whether the seller may sell; see `find_memberships`.
    """
    sellers = await find_memberships(sql, user_id, also_suspended=True)
    return sellers.get(seller_id) in FIGURES_STAFF and await find_rights(sql, user_id) is not None


async def save_staff_role(tx: Transaction, user_id: str, seller_id: str, role: StaffRole | None) -> bool:
    """Save the role of a locked person at a seller; None if they have none. Return whether it has changed."""
    if role is None:
        return await _delete_staff_role(tx, user_id, seller_id)
    return await _save_staff_role(tx, user_id, seller_id, role)


@statement(
    "SELECT seller_id, ended_at FROM former_staff_roles WHERE user_id = $user_id::uuid ORDER BY ended_at"
)
async def find_former_memberships(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return `seller_id` and `ended_at` of the staff roles that a person had."""


@statement("""
    WITH ended AS (
        DELETE FROM staff_roles WHERE user_id = $user_id::uuid AND seller_id = $seller_id::text
        RETURNING user_id, seller_id
    )
    INSERT INTO former_staff_roles (user_id, seller_id, ended_at)
    SELECT user_id, seller_id, $tx.now::timestamptz FROM ended
    ON CONFLICT (user_id, seller_id) DO UPDATE SET ended_at = excluded.ended_at
    RETURNING true
""")
async def _delete_staff_role(tx: Transaction, user_id: str, seller_id: str) -> bool:
    """End the role of a person at a seller, and record when; return False if they have none."""


@statement("""
    INSERT INTO staff_roles (user_id, seller_id, role) VALUES ($user_id::uuid, $seller_id::text, $role::text)
    ON CONFLICT (user_id, seller_id) DO UPDATE SET role = excluded.role
    WHERE staff_roles.role <> excluded.role
    RETURNING true
""")
async def _save_staff_role(tx: Transaction, user_id: str, seller_id: str, role: StaffRole) -> bool:
    """Save the role of a person at a seller; return False if they have it already."""


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


@statement("""
    SELECT revoke_access(NULL, user_id, clock_timestamp())
    FROM (
        SELECT user_id FROM people JOIN staff_roles USING (user_id)
        WHERE seller_id = $seller_id::text
        ORDER BY user_id
        FOR UPDATE OF people
    ) AS staff
""")
async def revoke_staff(tx: Transaction, seller_id: str) -> None:
    """End the access tokens that the staff of a seller has now.

    The locks make a concurrent refresh wait for the commit, or be finished before.
    """


@statement("UPDATE people SET name = $name::text WHERE user_id = $user_id::uuid")
async def set_name(tx: Transaction, user_id: str, name: str) -> None:
    """Set a person's name."""


@statement("UPDATE people SET email = $email::text WHERE user_id = $user_id::uuid")
async def set_email(tx: Transaction, user_id: str, email: str) -> None:
    """Set a person's e-mail address, which is locked and belongs to nobody."""


@statement("UPDATE people SET password_hash = $password_hash::text WHERE user_id = $user_id::uuid")
async def set_password(tx: Transaction, user_id: str, password_hash: str) -> None:
    """Set the hash of a person's password."""


@statement("UPDATE people SET role = nullif($role::text, 'shopper') WHERE user_id = $user_id::uuid")
async def set_role(tx: Transaction, user_id: str, role: ChosenRole) -> None:
    """Set a person's role."""


@statement("""
    UPDATE people
    SET suspended_at = $at::timestamptz, suspension_reason = $reason::text,
        rights_since = $tx.now::timestamptz
    WHERE user_id = $user_id::uuid
""")
async def set_suspension(tx: Transaction, user_id: str, at: datetime | None, reason: str | None) -> None:
    """Suspend a person, or end their suspension (None).

    What the person made before, or during the suspension, never works again.
    """


async def require_other_admin(tx: Transaction, user_id: str) -> None:
    """Check that the shop has an administrator without this person.

    Raises:
        LAST_ADMINISTRATOR: this person is the only one.
    """
    if await _lock_admins(tx) == {user_id}:
        raise LAST_ADMINISTRATOR()


@statement("""
    SELECT user_id FROM people
    WHERE role = 'admin' AND suspended_at IS NULL AND NOT is_demo
    ORDER BY user_id
    FOR UPDATE
""")
async def _lock_admins(tx: Transaction) -> frozenset[str]:
    """Return the administrators who can sign in. The lock lets one transaction at a time make them fewer."""


@statement("DELETE FROM people WHERE user_id = $user_id::uuid")
async def delete_person(tx: Transaction, user_id: str) -> None:
    """Delete a person, with their key, links, sessions, attempts to sign in, addresses and mails."""


@statement("""
    SELECT address_id, recipient, street, city, state, postal_code, country FROM addresses
    WHERE user_id = $user_id::uuid
    ORDER BY address_id
""")
async def find_addresses(sql: Any, user_id: str) -> list[Address]:
    """Return a person's addresses."""


@statement("""
    INSERT INTO addresses (
        user_id, address_id, recipient, street, city, state, postal_code, country, saved_at
    )
    VALUES (
        $user_id::uuid, $address.address_id::text, $address.recipient::text, $address.street::text,
        $address.city::text, $address.state::text, $address.postal_code::text, $address.country::text,
        $tx.now::timestamptz
    )
    ON CONFLICT (user_id, address_id) DO UPDATE
    SET recipient = excluded.recipient, street = excluded.street, city = excluded.city,
        state = excluded.state, postal_code = excluded.postal_code, country = excluded.country,
        saved_at = excluded.saved_at
""")
async def save_address(tx: Transaction, user_id: str, address: Address) -> None:
    """Save an address of a person, new or changed."""


@statement("""
    DELETE FROM addresses WHERE user_id = $user_id::uuid AND address_id = $address_id::text RETURNING true
""")
async def delete_address(tx: Transaction, user_id: str, address_id: str) -> bool:
    """Delete an address of a person; return False if they have no such address."""
