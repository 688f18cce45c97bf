"""Erases a person: deletes their rows and the key that links them to their shopper ids."""

from producers.kit.erasures import ask_to_forget
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.requests.sender import wait_until_answered
from producers.services.users import mail_store, registration_store, session_store, sign_in_store, store
from producers.services.users.access_tokens import find_shopper_ids
from producers.services.users.account import confirm_password
from producers.services.users.context import UsersContext
from producers.services.users.model import REVOCATION_LIFETIME
from producers.services.users.people import require_other_admin
from producers.services.users.problems import UnknownPerson


async def erase(
    transactions: Transactions, context: UsersContext, user_id: str, password: str, traceparent: str | None
) -> None:
    """Erase a person. Nothing in any store names their user id or e-mail address afterwards.

    The other services forget the person when they answer (`producers/kit/erasures.py`), which is soon unless
    they are away. Orders, topics and facts keep the shopper id, so that figures stay right. Without the
    person's key, nothing links it to a person (docs/decisions/erasure.md). `shopper_erased` tells other
    systems.

    Raises:
        WrongPassword: the password is another one; see `confirm_password` for more.
        LastAdministrator: nobody would be left who can administer the shop.
        KeysNotReady: the person's key can't be read.
    """
    person = await confirm_password(transactions, context, user_id, password)
    async with transactions.connection() as sql:
        (shopper_id, *_) = await find_shopper_ids(sql, context.pseudonyms, person, 0)
    async with transactions.begin(Trace.start(shopper_id, traceparent)) as tx:
        await require_other_admin(tx, user_id)
        locked = await store.lock_person(tx, user_id)
        if locked is None:
            raise UnknownPerson
        now = transactions.clock()
        # Revocations name sessions here, not the person, because they are kept for a while.
        await session_store.delete_revocations(tx, user_id)
        for session in await session_store.find_all_sessions(tx.sql, user_id):
            if session["last_used_at"] > now - REVOCATION_LIFETIME:
                await session_store.revoke_session(tx, session["session_id"], now)
        for email in {person.email, locked.email}:
            ask_to_forget(tx, user_id, email)
            await mail_store.delete_mails(tx, email)
            await registration_store.delete_registrations(tx, email)
            devices = context.devices
            await sign_in_store.clear_throttles(tx, [devices.account(email), devices.signed_in(email)])
        await store.delete_person(tx, user_id)
        await store.erase_pseudonym(tx, shopper_id)
        tx.emit("shopper_erased", shopper_id=shopper_id)
    await wait_until_answered(transactions, tx)
