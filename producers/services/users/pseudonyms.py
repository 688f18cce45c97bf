"""Links people to the ids under which they buy, by a key for each person that erasure destroys.

Topics, facts and the other services know a person only by shopper ids: a random one of their own, and those
of their time as a guest. No personal field is in an event. The links are in this service's tables, encrypted
with the person's key. That key is itself encrypted with a key that derives from `internal_secret`. After the
person's key and the links are deleted, nothing links the ids to a person: see docs/decisions/erasure.md.
"""

import hashlib
import hmac
from typing import Any
from uuid import uuid4

from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.encryption import NotDecryptable, new_key, seal, unseal
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.users import store
from producers.services.users.model import ChosenRole
from producers.services.users.problems import KEYS_NOT_READY
from producers.services.users.store import Person


class Pseudonyms:
    """Encrypts and reads the links. Its methods raise `NotDecryptable` if `internal_secret` has changed."""

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "person keys")
        self._digest_key = derived_key(settings, "guest id digests")

    def new_person_key(self, user_id: str) -> tuple[bytes, bytes]:
        """Return a new key of a person, and the same key encrypted, for storing it."""
        key = new_key()
        return key, seal(self._key, key, user_id)

    def person_key(self, user_id: str, sealed_key: bytes) -> bytes:
        """Return the key of a person."""
        return unseal(self._key, sealed_key, user_id)

    def guest_digest(self, guest_id: str) -> bytes:
        """Return the HMAC of a guest's id, which finds the id's link without showing the id."""
        return hmac.digest(self._digest_key, guest_id.encode(), hashlib.sha256)


def link(person_key: bytes, user_id: str, shopper_id: str) -> bytes:
    """Return the encrypted link from a person to one of their shopper ids."""
    return seal(person_key, shopper_id.encode(), user_id)


def linked(person_key: bytes, user_id: str, sealed: bytes) -> str:
    """Return the shopper id of a link."""
    return unseal(person_key, sealed, user_id).decode()


async def insert_person(
    tx: Transaction,
    pseudonyms: Pseudonyms,
    shopper_id: str,
    email: str,
    name: str,
    password_hash: str | None = None,
    role: ChosenRole = "shopper",
    is_demo: bool = False,
) -> Person | None:
    """Insert a person with a new key; return None if the address belongs to somebody."""
    # random, because the time in a UUIDv7 could be compared with that in the shopper id
    user_id = str(uuid4())
    key, sealed_key = pseudonyms.new_person_key(user_id)
    person = Person(
        user_id=user_id,
        email=email,
        name=name,
        role=role,
        is_demo=is_demo,
        verified_at=tx.now,
        suspended_at=None,
        suspension_reason=None,
        password_hash=password_hash,
        sealed_shopper_id=link(key, user_id, shopper_id),
        sealed_key=sealed_key,
    )
    return await store.lock_person(tx, user_id) if await store.insert_person(tx, person) else None


async def find_shopper_ids(
    sql: Any, pseudonyms: Pseudonyms, person: Person, max_guests: int | None
) -> tuple[str, ...]:
    """Return a person's own shopper id, then those of their time as a guest, the newest first.

    Raises:
        KEYS_NOT_READY: the person's key can't be read.
    """
    guests = await _find_guests(sql, person.user_id, max_guests)
    try:
        key = pseudonyms.person_key(person.user_id, person.sealed_key)
        return tuple(linked(key, person.user_id, each) for each in (person.sealed_shopper_id, *guests))
    except NotDecryptable as error:
        raise KEYS_NOT_READY() from error


async def link_guest(tx: Transaction, pseudonyms: Pseudonyms, person: Person, guest_id: str) -> None:
    """Make the carts, views and orders of a browser's time as a guest those of a locked person.

    A guest's id that belongs to another person stays theirs.

    Raises:
        KEYS_NOT_READY: the person's key can't be read.
    """
    try:
        key = pseudonyms.person_key(person.user_id, person.sealed_key)
    except NotDecryptable as error:
        raise KEYS_NOT_READY() from error
    sealed = link(key, person.user_id, guest_id)
    await _insert_guest(tx, pseudonyms.guest_digest(guest_id), person.user_id, sealed)


@statement("""
    SELECT sealed_guest_id FROM guest_ids
    WHERE user_id = $user_id::uuid
    ORDER BY linked_at DESC, digest
    LIMIT $limit::integer
""")
async def _find_guests(sql: Any, user_id: str, limit: int | None) -> list[bytes]:
    """Return the encrypted ids of a person's time as a guest, the newest first."""


@statement("""
    INSERT INTO guest_ids (digest, user_id, sealed_guest_id, linked_at)
    VALUES ($digest::bytea, $user_id::uuid, $sealed_guest_id::bytea, $tx.now::timestamptz)
    ON CONFLICT (digest) DO NOTHING
""")
async def _insert_guest(tx: Transaction, digest: bytes, user_id: str, sealed_guest_id: bytes) -> None:
    """Link a guest's id to a person, unless it is linked to somebody."""


@statement("""
    INSERT INTO pseudonyms (shopper_id, registered_at) VALUES ($shopper_id::text, $tx.now::timestamptz)
""")
async def insert_pseudonym(tx: Transaction, shopper_id: str) -> None:
    """Record a shopper id that `shopper_registered` names."""


@statement("UPDATE pseudonyms SET erased_at = $tx.now::timestamptz WHERE shopper_id = $shopper_id::text")
async def erase_pseudonym(tx: Transaction, shopper_id: str) -> None:
    """Record that the person behind a shopper id was erased."""
