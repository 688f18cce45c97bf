"""Sessions: opened by a sign-in, continued by tokens that work once, ended by a request or a theft.

An access token says who a person is and what they may do, signed, for 15 minutes. It ends before its time
when it is revoked, alone with its session or with all those that its person has.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.ids import new_id
from common.principal import Principal, Role, StaffRole
from common.secret_token import new_token, token_digest
from producers.kit.http.problems import require
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.postgres.statements import statement
from producers.services.users import store
from producers.services.users.context import Client, UsersContext
from producers.services.users.model import (
    ACCESS_TOKEN_LIFETIME,
    MAX_GUEST_IDS,
    SESSION_LIFETIME,
    ChosenRole,
    refresh_outcome,
)
from producers.services.users.problems import ACCOUNT_SUSPENDED, INVALID_REFRESH_TOKEN, UNKNOWN_SESSION
from producers.services.users.pseudonyms import find_shopper_ids
from producers.services.users.schemas import RefreshRequest, TokensResponse, UserResponse
from producers.services.users.signing_keys import find_signing_keys, signing_key
from producers.services.users.store import Person

ISSUER = AUDIENCE = "souk"

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a person."""

    session_id: str
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token and its session, both locked."""

    session_id: str
    user_id: str
    expires_at: datetime
    ended_at: datetime | None
    replaced_at: datetime | None


async def open_session(
    tx: Transaction, clock: Now, context: UsersContext, person: Person, client: Client
) -> TokensResponse:
    """Open a session of a person who is locked.

    Raises:
        ACCOUNT_SUSPENDED: the person is suspended.
    """
    if person.suspension_reason is not None:
        raise ACCOUNT_SUSPENDED(reason=person.suspension_reason)
    now, refresh_token = clock(), new_token()
    session_id, expires_at = new_id(), now + SESSION_LIFETIME
    await _insert_session(
        tx, session_id, person.user_id, client, now, expires_at, token_digest(refresh_token)
    )
    issued = await _issue_tokens(tx, context, person, session_id, now)
    return {**issued, "refresh_token": refresh_token}


async def refresh(
    transactions: Transactions, context: UsersContext, request: RefreshRequest, client: Client
) -> TokensResponse:
    """Return a new access token and the refresh token that replaces the given one.

    A token that was replaced before is a copy in the wrong hands, or in the hands of the person whose token
    was copied. It ends the session: all its refresh tokens, and by a revocation its access tokens, in one
    transaction. Programs get no grace. A browser says `browser: true`: if another tab of it has replaced the
    token less than 10 s ago, it gets an access token and no refresh token, which the other tab has stored.

    Raises:
        INVALID_REFRESH_TOKEN: the token is unknown, was used before, or its session has ended.
    """
    digest = token_digest(request.refresh_token)
    async with transactions.begin(Trace("")) as tx:
        user_id = await _find_refresh_token(tx.sql, digest)
        person = await store.lock_person(tx, user_id) if user_id else None
        token = await _lock_refresh_token(tx, digest) if person else None
        if person is not None and token is not None and person.suspended_at is None:
            now = transactions.clock()
            outcome = refresh_outcome(
                now=now,
                expires_at=token.expires_at,
                ended_at=token.ended_at,
                replaced_at=token.replaced_at,
                browser=request.browser,
            )
            if outcome == "rotate":
                refresh_token = new_token()
                await _replace_refresh_token(
                    tx, digest, token_digest(refresh_token), now, now + SESSION_LIFETIME, client.address
                )
                issued = await _issue_tokens(tx, context, person, token.session_id, now)
                return {**issued, "refresh_token": refresh_token}
            if outcome == "access_only":
                return await _issue_tokens(tx, context, person, token.session_id, now)
            if outcome == "reused":
                await end_session(tx, person.user_id, token.session_id, now)
    raise INVALID_REFRESH_TOKEN()


async def sign_out(transactions: Transactions, user_id: str, session_id: str) -> None:
    """End a session of a person.

    Raises:
        UNKNOWN_SESSION: the person has no such session.
    """
    async with transactions.begin(Trace("")) as tx:
        await store.lock_person(tx, user_id)
        require(await end_session(tx, user_id, session_id, transactions.clock()), UNKNOWN_SESSION())


async def end_session(tx: Transaction, user_id: str, session_id: str, now: datetime) -> bool:
    """End a session of a locked person and revoke its access tokens; return False if there is none."""
    has_ended = await _end_session(tx, user_id, session_id, now)
    if has_ended:
        await revoke_access(tx, now, session_id=session_id)
    return has_ended


async def end_sessions(tx: Transaction, user_id: str, now: datetime, but: str | None = None) -> None:
    """End all sessions of a locked person except one, and revoke their access tokens."""
    for session_id in await _end_sessions(tx, user_id, now, but):
        await revoke_access(tx, now, session_id=session_id)


async def end_all_sessions(tx: Transaction, user_id: str, now: datetime) -> None:
    """End all sessions of a locked person, and revoke every access token that they have now."""
    await _end_sessions(tx, user_id, now, None)
    await revoke_access(tx, now, user_id=user_id)


async def _issue_tokens(
    tx: Transaction, context: UsersContext, person: Person, session_id: str, now: datetime
) -> TokensResponse:
    """Return a new access token of a person, and the person.

    The person is locked, so that no right changes before the commit. `now` is later than the lock: the token
    is then newer than every revocation that was committed before.

    Raises:
        KEYS_NOT_READY: no key can sign, or the person's key can't be read.
    """
    sellers = await store.find_memberships(tx.sql, person.user_id)
    shopper_ids = await find_shopper_ids(tx.sql, context.pseudonyms, person, MAX_GUEST_IDS)
    roles = roles_of(person.role, sellers)
    principal = Principal(person.user_id, roles, shopper_ids, sellers, None, session_id)
    key = signing_key(await find_signing_keys(tx.sql), now)
    return {
        "access_token": context.keys.sign(key, access_claims(principal, now)),
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        "session_id": session_id,
        "user": present_user(person, shopper_ids[0], sellers),
    }


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


def roles_of(role: ChosenRole, sellers: Mapping[str, StaffRole]) -> frozenset[Role]:
    """Return the roles of a person with a role of their own, who works for these sellers."""
    roles: set[Role] = {"shopper", role}
    return frozenset(roles | {"seller"} if sellers else roles)


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


@statement("""
    WITH opened AS (
        INSERT INTO sessions (session_id, user_id, device, address, created_at, last_used_at, expires_at)
        VALUES (
            $session_id::uuid, $user_id::uuid, $client.device::text, $client.address::text,
            $opened_at::timestamptz, $opened_at::timestamptz, $expires_at::timestamptz
        )
        RETURNING session_id
    )
    INSERT INTO refresh_tokens (token_sha256, session_id) SELECT $token_sha256::bytea, session_id FROM opened
""")
async def _insert_session(
    tx: Transaction,
    session_id: str,
    user_id: str,
    client: Client,
    opened_at: datetime,
    expires_at: datetime,
    token_sha256: bytes,
) -> None:
    """Insert a session with its first refresh token."""


@statement("""
    SELECT user_id FROM refresh_tokens JOIN sessions USING (session_id)
    WHERE token_sha256 = $token_sha256::bytea
""")
async def _find_refresh_token(sql: Any, token_sha256: bytes) -> str | None:
    """Return the person of a refresh token."""


@statement("""
    SELECT session_id, user_id, expires_at, ended_at, replaced_at
    FROM refresh_tokens JOIN sessions USING (session_id)
    WHERE token_sha256 = $token_sha256::bytea
    FOR UPDATE
""")
async def _lock_refresh_token(tx: Transaction, token_sha256: bytes) -> RefreshToken | None:
    """Lock and return a refresh token and its session. The person is locked already."""


@statement("""
    WITH replaced AS (
        UPDATE refresh_tokens SET replaced_at = $now::timestamptz WHERE token_sha256 = $old_sha256::bytea
        RETURNING session_id
    ), used AS (
        UPDATE sessions
        SET last_used_at = $now::timestamptz, expires_at = $expires_at::timestamptz, address = $address::text
        FROM replaced
        WHERE sessions.session_id = replaced.session_id
    )
    INSERT INTO refresh_tokens (token_sha256, session_id) SELECT $new_sha256::bytea, session_id FROM replaced
""")
async def _replace_refresh_token(
    tx: Transaction, old_sha256: bytes, new_sha256: bytes, now: datetime, expires_at: datetime, address: str
) -> None:
    """Replace a refresh token, and record the use of its session."""


@statement("""
    UPDATE sessions SET ended_at = $at::timestamptz
    WHERE user_id = $user_id::uuid AND session_id = $session_id::uuid AND ended_at IS NULL
        AND expires_at > $at::timestamptz
    RETURNING true
""")
async def _end_session(tx: Transaction, user_id: str, session_id: str, at: datetime) -> bool:
    """End a session of a person; return False if it has ended already, or there is none."""


@statement("""
    UPDATE sessions SET ended_at = $at::timestamptz
    WHERE user_id = $user_id::uuid AND ended_at IS NULL AND session_id IS DISTINCT FROM $but::uuid
    RETURNING session_id
""")
async def _end_sessions(tx: Transaction, user_id: str, at: datetime, but: str | None) -> list[str]:
    """End the sessions of a person except one, and return their ids."""


@statement("""
    SELECT session_id, device, address, created_at, last_used_at
    FROM sessions
    WHERE user_id = $user_id::uuid AND ended_at IS NULL AND expires_at > $now::timestamptz
    ORDER BY last_used_at DESC, session_id
""")
async def find_sessions(sql: Any, user_id: str, now: datetime) -> list[Session]:
    """Return a person's sessions that have not ended, the last used first."""


@statement("""
    SELECT session_id, device, address, created_at, last_used_at, ended_at
    FROM sessions
    WHERE user_id = $user_id::uuid
    ORDER BY created_at, session_id
""")
async def find_all_sessions(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return a person's sessions, also those that have ended."""


@statement("SELECT revoke_access($session_id::uuid, $user_id::uuid, $before::timestamptz)")
async def revoke_access(
    tx: Transaction, before: datetime, *, session_id: str | None = None, user_id: str | None = None
) -> None:
    """Revoke the access tokens of a session, or those that a locked person got before a moment."""


@statement("""
    SELECT position, session_id, user_id, extract(epoch FROM before)::double precision AS before
    FROM revocations
    WHERE position > CASE
        WHEN $after::bigint > (SELECT last_value FROM revocations_position_seq) THEN 0
        ELSE $after::bigint
    END
    ORDER BY position
""")
async def find_revocations(sql: Any, after: int) -> list[dict[str, Any]]:
    """Return the revocations after a position.

    A position from before a reset of the database is higher than any that this database has given: then all
    follow.
    """


@statement("DELETE FROM revocations WHERE user_id = $user_id::uuid")
async def delete_revocations(tx: Transaction, user_id: str) -> None:
    """Delete the revocations that name a person, not those that name one of their sessions."""
