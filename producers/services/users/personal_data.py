"""Exports what the shop keeps of a person, and erases it: the person's rows, and the key of their links."""

from typing import Any

from producers.kit.erasures import ask_to_forget
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.requests.sender import wait_until_answered
from producers.services.users import store
from producers.services.users.account import confirm_password
from producers.services.users.context import UsersContext
from producers.services.users.followed_sellers import find_followed
from producers.services.users.mails import delete_mails, find_mails_of_person
from producers.services.users.model import REVOCATION_LIFETIME
from producers.services.users.passwords import clear_throttles
from producers.services.users.pseudonyms import erase_pseudonym, find_shopper_ids
from producers.services.users.recommendation_mails import find_agreement
from producers.services.users.registration import delete_registrations
from producers.services.users.sessions import delete_revocations, find_all_sessions, revoke_access, roles_of
from producers.services.users.sign_in import find_sign_ins


async def export(transactions: Transactions, context: UsersContext, user_id: str) -> dict[str, Any]:
    """Return all that is kept of a person, as JSON. Neither the password's hash nor a token is in it.

    Raises:
        UNKNOWN_PERSON: they were erased.
        ServiceNotReady: orders, reviews or alerts does not answer.
        KEYS_NOT_READY: the person's key can't be read.
    """
    async with transactions.connection() as sql:
        person = await store.require_person(sql, user_id)
        sellers = await store.find_memberships(sql, user_id)
        shopper_ids = await find_shopper_ids(sql, context.pseudonyms, person, None)
        exported = {
            "exported_at": transactions.clock(),
            "profile": {
                "user_id": person.user_id,
                "email": person.email,
                "name": person.name,
                "roles": sorted(roles_of(person.role, sellers)),
                "verified_at": person.verified_at,
                "shopper_id": shopper_ids[0],
                "guest_ids": list(shopper_ids[1:]),
                "sellers": sellers,
            },
            "addresses": await store.find_addresses(sql, user_id),
            "sessions": await find_all_sessions(sql, user_id),
            "sign_ins": await find_sign_ins(sql, user_id),
            "mails": await find_mails_of_person(sql, person),
            "mails_with_recommendations": await find_agreement(sql, user_id),
            "followed_sellers": await find_followed(sql, user_id),
        }
    subscriptions = await context.peers.ask("alerts", f"/v1/alert_subscriptions/{user_id}")
    orders = await context.peers.ask("orders", "/v1/orders/exports", {"shopper_ids": shopper_ids})
    reviews = await context.peers.ask("reviews", "/v1/reviews/exports", {"shopper_ids": shopper_ids})
    return {
        **exported,
        "mails_about_sellers": subscriptions["subscriptions"],
        "orders": orders["orders"],
        **reviews,
    }


async def erase(
    transactions: Transactions, context: UsersContext, user_id: str, password: str, traceparent: str | None
) -> None:
    """Erase a person. Nothing in any store names their user id or e-mail address afterwards.

    The other services forget the person when they answer (`producers/kit/erasures.py`), which is soon unless
    they are away. Orders, topics and facts keep the shopper id, so that figures stay right. Without the
    person's key, nothing links it to a person (docs/decisions/erasure.md). `shopper_erased` tells other
    systems.

    Raises:
        WRONG_PASSWORD: the password is another one; see `confirm_password` for more.
        LAST_ADMINISTRATOR: nobody would be left who can administer the shop.
        KEYS_NOT_READY: the person's key can't be read.
    """
    person = await confirm_password(transactions, context, user_id, password)
    async with transactions.connection() as sql:
        (shopper_id, *_) = await find_shopper_ids(sql, context.pseudonyms, person, 0)
    async with transactions.begin(Trace.start(shopper_id, traceparent)) as tx:
        await store.require_other_admin(tx, user_id)
        locked = await store.require_locked_person(tx, user_id)
        now = transactions.clock()
        # Revocations name sessions here, not the person, because they are kept for a while.
        await delete_revocations(tx, user_id)
        for session in await find_all_sessions(tx.sql, user_id):
            if session["last_used_at"] > now - REVOCATION_LIFETIME:
                await revoke_access(tx, now, session_id=session["session_id"])
        for email in {person.email, locked.email}:
            ask_to_forget(tx, user_id, email)
            await delete_mails(tx, email)
            await delete_registrations(tx, email)
            devices = context.devices
            await clear_throttles(tx, [devices.account(email), devices.signed_in(email)])
        await store.delete_person(tx, user_id)
        await erase_pseudonym(tx, shopper_id)
        tx.emit("shopper_erased", shopper_id=shopper_id)
    await wait_until_answered(transactions, tx)
