"""Signs people in with their e-mail address and password, slowly for those who guess."""

from common.email_address import normalized_email
from producers.kit.encryption import NotDecryptable
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.services.users import sign_in_store, store
from producers.services.users.context import UsersContext
from producers.services.users.problems import KeysNotReady, WrongCredentials
from producers.services.users.pseudonyms import link
from producers.services.users.schemas import SignInRequest, TokensResponse
from producers.services.users.session_store import Client
from producers.services.users.sessions import open_session
from producers.services.users.store import Person
from producers.services.users.throttling import attempt_succeeded, begin_attempt, sign_in_subjects


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
        TooManyAttempts: this client must wait. Its password was not looked at.
        AccountSuspended: the password is right, and the person is suspended.
        HashingBusy: too many people sign in at this moment.
    """
    email = normalized_email(request.email)
    device = context.devices.device(request.device_token, email)
    subjects = sign_in_subjects(context.devices, email, device, client.address)
    context.passwords.require_capacity()
    async with transactions.begin(Trace("")) as tx:
        await begin_attempt(tx, subjects)
        account = await store.find_account(tx.sql, email, tx.now)
        sign_in_id = await sign_in_store.insert_sign_in(tx, account.user_id, client)
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
            await link_guest(tx, context, person, guest_id)
        response = await open_session(tx, transactions.clock, context, person, client)
        await attempt_succeeded(tx, subjects)
        await sign_in_store.set_sign_in_succeeded(tx, sign_in_id)
        if new_hash is not None:
            await store.set_password(tx, person.user_id, new_hash)
        is_known = device is not None and request.device_token is not None
        response["device_token"] = str(request.device_token) if is_known else context.devices.new(email)
        return response


async def link_guest(tx: Transaction, context: UsersContext, person: Person, guest_id: str) -> None:
    """Make the carts, views and orders of a browser's time as a guest those of a locked person.

    A guest's id that belongs to another person stays theirs.

    Raises:
        KeysNotReady: the person's key can't be read.
    """
    try:
        key = context.pseudonyms.person_key(person.user_id, person.sealed_key)
    except NotDecryptable as error:
        raise KeysNotReady from error
    await store.link_guest(
        tx, context.pseudonyms.guest_digest(guest_id), person.user_id, link(key, person.user_id, guest_id)
    )
