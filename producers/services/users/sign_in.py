"""Signs people in, and lets them confirm what they do, with their password; slowly for those who guess."""

from typing import Any

from common.email_address import normalized_email
from common.ids import new_id
from producers.kit.http.problems import require
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.postgres.statements import statement
from producers.kit.throttles import FREE_FAILURES, attempt_succeeded, begin_attempt
from producers.services.users import store
from producers.services.users.context import Client, UsersContext
from producers.services.users.passwords import sign_in_subjects
from producers.services.users.problems import (
    DEMO_PERSON,
    NO_PASSWORD,
    TOO_MANY_ATTEMPTS,
    WRONG_PASSWORD,
    WrongCredentials,
)
from producers.services.users.pseudonyms import link_guest
from producers.services.users.schemas import SignInRequest, TokensResponse
from producers.services.users.sessions import open_session
from producers.services.users.store import Person


async def sign_in(
    transactions: Transactions,
    context: UsersContext,
    request: SignInRequest,
    client: Client,
    guest_id: str | None = None,
) -> TokensResponse:
    """Open a session. `guest_id` is the id of the browser as a guest, which the gateway has verified.

    An unknown address, a wrong password and an address that is not verified yet give the same response after
    the same work: one transaction and one hash. With the right password of an address that is not verified,
    the caller sends the mail with the link again, after the response: otherwise its time would tell whoever
    has registered an address whether it had an account before.

    Raises:
        WrongCredentials: the session can't be opened.
        TOO_MANY_ATTEMPTS: this client must wait. Its password was not looked at.
        ACCOUNT_SUSPENDED: the password is right, and the person is suspended.
        HASHING_BUSY: too many people sign in at this moment.
    """
    email = normalized_email(request.email)
    device = context.devices.device(request.device_token, email)
    subjects, sign_in_id = sign_in_subjects(context.devices, email, device, client.address), new_id()
    context.passwords.require_capacity()
    async with transactions.begin(Trace("")) as tx:
        await begin_attempt(tx, subjects, TOO_MANY_ATTEMPTS)
        account = await store.find_account(tx.sql, email, tx.now)
        await _insert_sign_in(tx, sign_in_id, account.user_id, client)
    is_right, new_hash = await context.passwords.verify(request.password, account.password_hash)
    if not is_right:
        raise WrongCredentials
    if account.user_id is None:
        raise WrongCredentials(account.registration_sha256)
    async with transactions.begin(Trace("")) as tx:
        person = await store.lock_person(tx, account.user_id)
        if person is None or person.password_hash != account.password_hash:
            raise WrongCredentials
        if guest_id is not None:
            await link_guest(tx, context.pseudonyms, person, guest_id)
        response = await open_session(tx, transactions.clock, context, person, client)
        await attempt_succeeded(tx, subjects)
        await _set_sign_in_succeeded(tx, sign_in_id)
        if new_hash is not None:
            await store.set_password(tx, person.user_id, new_hash)
        is_known = device is not None and request.device_token is not None
        response["device_token"] = str(request.device_token) if is_known else context.devices.new(email)
        return response


async def confirm_password(
    transactions: Transactions, context: UsersContext, user_id: str, password: str
) -> Person:
    """Return the person if the password is right. Wrong ones are slowed down as at the sign-in.

    Raises:
        UNKNOWN_PERSON: the person was erased.
        DEMO_PERSON, NO_PASSWORD: the person has no password.
        WRONG_PASSWORD: it is another one.
        TOO_MANY_ATTEMPTS: the person must wait.
    """
    context.passwords.require_capacity()
    async with transactions.begin(Trace("")) as tx:
        person = await store.require_person(tx.sql, user_id)
        if person.is_demo:
            raise DEMO_PERSON()
        password_hash = require(person.password_hash, NO_PASSWORD())
        subjects = {context.devices.signed_in(person.email): FREE_FAILURES}
        await begin_attempt(tx, subjects, TOO_MANY_ATTEMPTS)
    is_right, _ = await context.passwords.verify(password, password_hash)
    require(is_right, WRONG_PASSWORD())
    async with transactions.begin(Trace("")) as tx:
        await attempt_succeeded(tx, subjects)
    return person


@statement("""
    INSERT INTO sign_ins (sign_in_id, user_id, attempted_at, address, device)
    VALUES (
        $sign_in_id::uuid, $user_id::uuid, $tx.now::timestamptz, $client.address::text, $client.device::text
    )
""")
async def _insert_sign_in(tx: Transaction, sign_in_id: str, user_id: str | None, client: Client) -> None:
    """Record an attempt to sign in."""


@statement("UPDATE sign_ins SET succeeded = true WHERE sign_in_id = $sign_in_id::uuid")
async def _set_sign_in_succeeded(tx: Transaction, sign_in_id: str) -> None:
    """Record that an attempt to sign in has succeeded."""


@statement("""
    SELECT attempted_at, address, device, succeeded FROM sign_ins
    WHERE user_id = $user_id::uuid
    ORDER BY attempted_at, sign_in_id
""")
async def find_sign_ins(sql: Any, user_id: str) -> list[dict[str, Any]]:
    """Return a person's attempts to sign in."""
