"""Sessions: opened by a sign-in, continued by tokens that work once, ended by a request or a theft."""

from collections.abc import Callable
from datetime import datetime

from common.secret_token import new_token, token_digest
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.services.users import session_store, store
from producers.services.users.access_tokens import issue_access_token
from producers.services.users.context import UsersContext
from producers.services.users.model import (
    ACCESS_TOKEN_LIFETIME,
    SESSION_LIFETIME,
    refresh_outcome,
)
from producers.services.users.problems import AccountSuspended, InvalidRefreshToken, UnknownSession
from producers.services.users.schemas import RefreshRequest, TokensResponse
from producers.services.users.session_store import Client
from producers.services.users.store import Person

Now = Callable[[], datetime]


async def open_session(
    tx: Transaction, clock: Now, context: UsersContext, person: Person, client: Client
) -> TokensResponse:
    """Open a session of a person who is locked.

    Raises:
        AccountSuspended: the person is suspended.
    """
    if person.suspension_reason is not None:
        raise AccountSuspended(person.suspension_reason)
    now, refresh_token = clock(), new_token()
    session_id = await session_store.open_session(
        tx, person.user_id, client, now, now + SESSION_LIFETIME, token_digest(refresh_token)
    )
    response = await _tokens(tx, context, person, session_id, now)
    response["refresh_token"] = refresh_token
    return response


async def refresh(
    transactions: Transactions, context: UsersContext, request: RefreshRequest, client: Client
) -> TokensResponse:
    """Return a new access token and the refresh token that replaces the given one.

    A token that was replaced before is a copy in the wrong hands, or in the hands of the person whose token
    was copied. It ends the session: all its refresh tokens, and by a revocation its access tokens, in one
    transaction. Programs get no grace. A browser says `browser: true`: if another tab of it has replaced the
    token less than 10 s ago, it gets an access token and no refresh token, which the other tab has stored.

    Raises:
        InvalidRefreshToken: the token is unknown, was used before, or its session has ended.
    """
    digest = token_digest(request.refresh_token)
    async with transactions.begin(Trace("")) as tx:
        user_id = await session_store.find_refresh_token(tx.sql, digest)
        person = await store.lock_person(tx, user_id) if user_id else None
        token = await session_store.lock_refresh_token(tx, digest) if person else None
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
                await session_store.replace_refresh_token(
                    tx, digest, token_digest(refresh_token), now, now + SESSION_LIFETIME, client.address
                )
                response = await _tokens(tx, context, person, token.session_id, now)
                response["refresh_token"] = refresh_token
                return response
            if outcome == "access_only":
                return await _tokens(tx, context, person, token.session_id, now)
            if outcome == "reused":
                await end_session(tx, person.user_id, token.session_id, now)
    raise InvalidRefreshToken


async def sign_out(transactions: Transactions, user_id: str, session_id: str) -> None:
    """End a session of a person.

    Raises:
        UnknownSession: the person has no such session.
    """
    async with transactions.begin(Trace("")) as tx:
        await store.lock_person(tx, user_id)
        if not await end_session(tx, user_id, session_id, transactions.clock()):
            raise UnknownSession


async def end_session(tx: Transaction, user_id: str, session_id: str, now: datetime) -> bool:
    """End a session of a locked person and revoke its access tokens; return False if there is none."""
    if not await session_store.end_session(tx, user_id, session_id, now):
        return False
    await session_store.revoke_session(tx, session_id, now)
    return True


async def end_all_sessions(tx: Transaction, user_id: str, now: datetime) -> None:
    """End all sessions of a locked person, and revoke every access token that they have now."""
    await session_store.end_sessions(tx, user_id, now)
    await session_store.revoke_person(tx, user_id, now)


async def _tokens(
    tx: Transaction, context: UsersContext, person: Person, session_id: str, now: datetime
) -> TokensResponse:
    access_token, user = await issue_access_token(tx, context, person, session_id, now)
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        "session_id": session_id,
        "user": user,
    }
