"""What administrators do with people: find them, give them roles, suspend them."""

from collections.abc import Mapping
from typing import Any

from common.cursor import BadCursor, decode_moment, encode_moment
from common.email_address import normalized_email
from common.principal import FIGURES_STAFF, Principal, StaffRole
from producers.kit.erasures import ask_to_forget
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.services.users import session_store, store
from producers.services.users.access_tokens import roles_of
from producers.services.users.model import ChosenRole
from producers.services.users.problems import CursorNotUsable, LastAdministrator, UnknownPerson
from producers.services.users.schemas import (
    LookupRequest,
    PeopleResponse,
    PersonDetailsResponse,
    PersonResponse,
    RightsResponse,
)
from producers.services.users.sessions import end_all_sessions

PAGE = 50


async def search(transactions: Transactions, text: str | None, cursor: str | None) -> PeopleResponse:
    """Return a page of the people whose e-mail address or name contains a text, the newest first.

    Raises:
        CursorNotUsable: the cursor is not one of a response.
    """
    try:
        after = None if cursor is None else decode_moment(cursor)
    except BadCursor as error:
        raise CursorNotUsable from error
    async with transactions.connection() as sql:
        rows = await store.search_people(sql, text, after, PAGE + 1)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return {
        "people": [present_person(row) for row in rows[:PAGE]],
        "next_cursor": encode_moment(last["verified_at"], last["user_id"]) if last else None,
    }


async def show(transactions: Transactions, user_id: str) -> PersonDetailsResponse:
    """Return a person with their sellers and sessions.

    Raises:
        UnknownPerson: there is no such person.
    """
    async with transactions.connection() as sql:
        person = await store.find_person(sql, user_id)
        if person is None:
            raise UnknownPerson
        sellers = await store.find_memberships(sql, user_id)
        sessions = await session_store.find_sessions(sql, user_id, transactions.clock())
    row = {name: getattr(person, name) for name in PersonResponse.__annotations__}
    return {**present_person(row), "sellers": sellers, "sessions": sessions}


async def show_rights(transactions: Transactions, user_id: str) -> RightsResponse:
    """Return what a person may do now, for services that keep what the person made.

    These check themselves whether the seller may sell. What somebody made must not end for good because this
    service has not read yet that a suspension is over.

    Raises:
        UnknownPerson: there is no such person, they are suspended, or of a demo that has ended.
    """
    async with transactions.connection() as sql:
        rights = await store.find_rights(sql, user_id)
        if rights is None:
            raise UnknownPerson
        sellers = await store.find_memberships(sql, user_id, also_suspended=True)
    principal = Principal(user_id, roles_of(rights.role, sellers), sellers=sellers)
    return {"principal": principal.claims(), "since": rights.since}


async def set_role(transactions: Transactions, user_id: str, role: ChosenRole) -> PersonDetailsResponse:
    """Give a person a role. Their access tokens end, and the next refresh gives one with the new role.

    Raises:
        UnknownPerson: there is no such person.
        LastAdministrator: nobody would be left who can administer the shop.
    """
    async with transactions.begin(Trace("")) as tx:
        if role != "admin":
            await require_other_admin(tx, user_id)
        if await store.lock_person(tx, user_id) is None:
            raise UnknownPerson
        await store.set_role(tx, user_id, None if role == "shopper" else role)
        await session_store.revoke_person(tx, user_id, transactions.clock())
    return await show(transactions, user_id)


async def suspend(transactions: Transactions, user_id: str, reason: str) -> PersonDetailsResponse:
    """Suspend a person: their sessions and what they made end, and they can't sign in.

    What they made, such as an API key, stays ended when the suspension ends: a stranger who used the account
    may have made it (`producers.kit.makers`).

    Raises:
        UnknownPerson: there is no such person.
        LastAdministrator: nobody would be left who can administer the shop.
    """
    async with transactions.begin(Trace("")) as tx:
        await require_other_admin(tx, user_id)
        if await store.lock_person(tx, user_id) is None:
            raise UnknownPerson
        await store.set_suspension(tx, user_id, tx.now, reason)
        await end_all_sessions(tx, user_id, transactions.clock())
    return await show(transactions, user_id)


async def end_suspension(transactions: Transactions, user_id: str) -> PersonDetailsResponse:
    """Let a suspended person sign in again. Their former sessions, and what they made, stay ended.

    Raises:
        UnknownPerson: there is no such person.
    """
    async with transactions.begin(Trace("")) as tx:
        if await store.lock_person(tx, user_id) is None:
            raise UnknownPerson
        await store.set_suspension(tx, user_id, None, None)
    return await show(transactions, user_id)


async def look_up(transactions: Transactions, request: LookupRequest) -> str:
    """Return the id of the person with a verified e-mail address.

    Raises:
        UnknownPerson: nobody has it, or they may not see the figures of the seller that the request names.
    """
    async with transactions.connection() as sql:
        user_id = await store.find_registered(sql, normalized_email(request.email))
        if user_id is None:
            raise UnknownPerson
        if request.seller_id is not None and not await may_see_figures(sql, user_id, request.seller_id):
            raise UnknownPerson
    return user_id


async def may_see_figures(sql: Any, user_id: str, seller_id: str) -> bool:
    """Return whether a person may do anything now, and works for a seller in a role that sees its figures.

    The service that asks knows itself whether the seller may sell; see `show_rights`.
    """
    if await store.find_rights(sql, user_id) is None:
        return False
    sellers = await store.find_memberships(sql, user_id, also_suspended=True)
    return sellers.get(seller_id) in FIGURES_STAFF


async def set_staff_role(
    transactions: Transactions, user_id: str, seller_id: str, role: StaffRole | None
) -> None:
    """Record the role of a person at a seller, and end their access tokens, so that it applies at once.

    A repetition changes nothing. Nothing is recorded of somebody who was erased. If they got the role in the
    same moment, sellers has stored it after it forgot them, and is asked to forget them again.
    """
    async with transactions.begin(Trace("")) as tx:
        if await store.lock_person(tx, user_id) is None:
            if role is not None:
                ask_to_forget(tx, user_id, "")
        elif await store.save_staff_role(tx, user_id, seller_id, role):
            await session_store.revoke_person(tx, user_id, transactions.clock())


async def require_other_admin(tx: Transaction, user_id: str) -> None:
    """Check that the shop has an administrator without this person.

    Raises:
        LastAdministrator: this person is the only one.
    """
    if await store.lock_admins(tx) == {user_id}:
        raise LastAdministrator


def present_person(row: Mapping[str, Any]) -> PersonResponse:
    """Return a person as administrators see them."""
    return {
        "user_id": row["user_id"],
        "email": row["email"],
        "name": row["name"],
        "role": row["role"] or "shopper",
        "is_demo": row["is_demo"],
        "verified_at": row["verified_at"],
        "suspended_at": row["suspended_at"],
        "suspension_reason": row["suspension_reason"],
    }
