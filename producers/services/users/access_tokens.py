"""Access tokens: who a person is and what they may do, signed, for 15 minutes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from common.ids import new_id
from common.principal import Principal, Role, StaffRole
from producers.kit.encryption import NotDecryptable
from producers.kit.outbox.transaction import Transaction
from producers.services.users import signing_key_store, store
from producers.services.users.context import UsersContext
from producers.services.users.model import ACCESS_TOKEN_LIFETIME, MAX_GUEST_IDS
from producers.services.users.problems import KeysNotReady
from producers.services.users.pseudonyms import Pseudonyms, linked
from producers.services.users.schemas import UserResponse
from producers.services.users.signing_keys import signing_key
from producers.services.users.store import Person

ISSUER = AUDIENCE = "souk"


async def issue_access_token(
    tx: Transaction, context: UsersContext, person: Person, session_id: str, now: datetime
) -> tuple[str, UserResponse]:
    """Return a new token of a person, and the person as the response to a sign-in shows them.

    The person is locked, so that no right changes before the commit. `now` is later than the lock: the token
    is then newer than every revocation that was committed before.

    Raises:
        KeysNotReady: no key can sign, or the person's key can't be read.
    """
    sellers = await store.find_memberships(tx.sql, person.user_id)
    shopper_ids = await find_shopper_ids(tx.sql, context.pseudonyms, person, MAX_GUEST_IDS)
    roles = roles_of(person.role, sellers)
    principal = Principal(person.user_id, roles, shopper_ids, sellers, None, session_id)
    key = signing_key(await signing_key_store.find_signing_keys(tx.sql), now)
    token = context.keys.sign(key, access_claims(principal, now))
    return token, present_user(person, shopper_ids[0], sellers)


def access_claims(principal: Principal, now: datetime) -> dict[str, Any]:
    """Return the claims of an access token that is issued now. The token must fit a cookie of 4,096 bytes."""
    issued_at = now.timestamp()
    return {
        **principal.claims(),
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": round(issued_at, 6),
        "exp": int(issued_at + ACCESS_TOKEN_LIFETIME.total_seconds()),
        "jti": new_id(),
    }


async def find_shopper_ids(
    sql: Any, pseudonyms: Pseudonyms, person: Person, max_guests: int | None
) -> tuple[str, ...]:
    """Return a person's own shopper id, then those of their time as a guest, the newest first.

    Raises:
        KeysNotReady: the person's key can't be read.
    """
    guests = await store.find_guests(sql, person.user_id, max_guests)
    try:
        key = pseudonyms.person_key(person.user_id, person.sealed_key)
        return tuple(linked(key, person.user_id, each) for each in (person.sealed_shopper_id, *guests))
    except NotDecryptable as error:
        raise KeysNotReady from error


def roles_of(role: str | None, sellers: Mapping[str, Any]) -> frozenset[Role]:
    """Return the roles of a person with a role besides `shopper`, or None, who works for these sellers."""
    further = {"seller"} if sellers else set()
    return frozenset(cast(set[Role], {"shopper", *further, *filter(None, [role])}))


def present_user(person: Person, shopper_id: str, sellers: Mapping[str, StaffRole]) -> UserResponse:
    """Return the API's response for a person who is signed in."""
    return {
        "user_id": person.user_id,
        "name": person.name,
        "email": person.email,
        "roles": sorted(roles_of(person.role, sellers)),
        "shopper_id": shopper_id,
        "sellers": dict(sellers),
    }
