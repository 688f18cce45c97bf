"""Registers people: first their wish, then, when their e-mail address is verified, the person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.email_address import normalized_email
from common.ids import new_id
from common.secret_token import new_token, token_digest
from producers.kit.http.problems import require
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.postgres.statements import statement
from producers.kit.throttles import attempt_succeeded, begin_attempt
from producers.services.users import store
from producers.services.users.context import Client, UsersContext
from producers.services.users.demo import end_demo
from producers.services.users.mails import insert_mailed_token, send_mail
from producers.services.users.model import (
    PASSWORD_RESET_LIFETIME,
    VERIFICATION_LIFETIME,
    ChosenRole,
    is_email,
)
from producers.services.users.passwords import check_password, registration_subjects
from producers.services.users.problems import (
    LINK_ENDED,
    NOT_AN_EMAIL,
    TOO_MANY_ATTEMPTS,
    UNKNOWN_PERSON,
    WRONG_REGISTRATION_PASSWORD,
)
from producers.services.users.pseudonyms import insert_person, insert_pseudonym
from producers.services.users.schemas import (
    ConfirmationRequest,
    PersonRequest,
    RegisteredResponse,
    RegistrationRequest,
)
from producers.services.users.sessions import revoke_access
from producers.services.users.store import Person

REGISTER_AGAIN = "Sign in, or register again: another mail follows."


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration whose e-mail address is not verified yet."""

    email: str
    name: str
    password_hash: str


def checked_email(email: str) -> str:
    """Return an e-mail address in its normal form.

    Raises:
        NOT_AN_EMAIL: it is none.
    """
    normalized = normalized_email(email)
    require(is_email(normalized), NOT_AN_EMAIL())
    return normalized


async def register(transactions: Transactions, context: UsersContext, request: RegistrationRequest) -> None:
    """Send a mail to somebody who wants an account. What the mail says depends on whether they have one.

    Both cases hash a password and write a mail, so that neither the response nor its time tells them apart.
    """
    email = checked_email(request.email)
    check_password(request.password, email)
    password_hash = await context.passwords.hash(request.password)
    token = new_token()
    async with transactions.begin(Trace("")) as tx:
        is_registered = await store.find_person_by_email(tx.sql, email) is not None
        mail = (
            context.mails.write("already_registered", email)
            if is_registered
            else context.mails.write("verification", email, token, request.next)
        )
        if await send_mail(tx, mail) and not is_registered:
            registration = Registration(email, request.name, password_hash)
            await _insert_registration(tx, token_digest(token), registration, tx.now + VERIFICATION_LIFETIME)


async def send_verification_again(
    transactions: Transactions, context: UsersContext, given: str, registration_sha256: bytes
) -> None:
    """Send the mail of a registration again, with a new link."""
    email, token = normalized_email(given), new_token()
    async with transactions.begin(Trace("")) as tx:
        if await send_mail(tx, context.mails.write("verification", email, token)):
            await _renew_registration(
                tx, registration_sha256, token_digest(token), tx.now + VERIFICATION_LIFETIME
            )


async def verify(
    transactions: Transactions,
    context: UsersContext,
    request: ConfirmationRequest,
    client: Client,
    traceparent: str | None,
) -> str:
    """Make a person of the registration with this token and this password; return the e-mail address.

    The token proves that the client reads the mails to the address, and the password that the client has
    registered. A wrong password changes nothing, and further ones are slowed down as at the sign-in.

    Raises:
        LINK_ENDED: the token was used before or has expired, or the address belongs to somebody already.
        WRONG_REGISTRATION_PASSWORD: the password is another one.
        TOO_MANY_ATTEMPTS: this client must wait. The password was not looked at.
        HASHING_BUSY: too many people sign in at this moment.
    """
    digest, shopper_id, ended = token_digest(request.token), new_id(), LINK_ENDED(again=REGISTER_AGAIN)
    subjects = registration_subjects(context.devices, digest, client.address)
    context.passwords.require_capacity()
    async with transactions.begin(Trace("")) as tx:
        registration = require(await _find_registration(tx.sql, digest, tx.now), ended)
        await begin_attempt(tx, subjects, TOO_MANY_ATTEMPTS)
    is_right, _ = await context.passwords.verify(request.password, registration.password_hash)
    require(is_right, WRONG_REGISTRATION_PASSWORD())
    async with transactions.begin(Trace.start(shopper_id, traceparent)) as tx:
        # Before the row of the registration: two links to one address would wait for each other otherwise.
        await store.lock_email(tx, registration.email)
        require(await _take_registration(tx, digest), ended)
        person = await create_person(
            tx, context, shopper_id, registration.email, registration.name, registration.password_hash
        )
        require(person, LINK_ENDED(again="The address has an account already: sign in with it."))
        await attempt_succeeded(tx, subjects)
        return registration.email


async def create_person(
    tx: Transaction,
    context: UsersContext,
    shopper_id: str,
    email: str,
    name: str,
    password_hash: str | None = None,
    role: ChosenRole = "shopper",
) -> Person | None:
    """Make a real person with a verified address; return None if the address belongs to somebody.

    The first real person ends the demo.
    """
    await store.lock_email(tx, email)
    await end_demo(tx)
    person = await insert_person(tx, context.pseudonyms, shopper_id, email, name, password_hash, role)
    if person is not None:
        await delete_registrations(tx, email)
        await insert_pseudonym(tx, shopper_id)
        tx.emit("shopper_registered", shopper_id=shopper_id)
    return person


async def register_for_operator(
    transactions: Transactions, context: UsersContext, request: PersonRequest, traceparent: str | None
) -> RegisteredResponse:
    """Make a person with a role, or give the role to the person with this address.

    Whoever has no password yet gets a link to choose one, also after an earlier link has ended.

    Raises:
        NOT_AN_EMAIL: it is no address.
        LAST_ADMINISTRATOR: nobody would be left who can administer the shop.
        UNKNOWN_PERSON: the person is erased at this moment.
    """
    email, role = checked_email(request.email), request.role
    shopper_id, reset_link = new_id(), None
    async with transactions.begin(Trace.start(shopper_id, traceparent)) as tx:
        person = await create_person(tx, context, shopper_id, email, request.name, None, role)
        if person is None:
            person = await _lock_registered(tx, email, role)
            await store.set_role(tx, person.user_id, role)
            await revoke_access(tx, transactions.clock(), user_id=person.user_id)
        if person.password_hash is None and not person.is_demo:
            reset_link = await _invite(tx, context, email)
    return {"user_id": person.user_id, "email": email, "role": role, "reset_link": reset_link}


async def _lock_registered(tx: Transaction, email: str, role: ChosenRole) -> Person:
    """Lock and return the person with an address, who is to have a role."""
    user_id = require(await store.find_person_by_email(tx.sql, email), UNKNOWN_PERSON())
    if role != "admin":
        await store.require_other_admin(tx, user_id)
    return await store.require_locked_person(tx, user_id)


async def _invite(tx: Transaction, context: UsersContext, email: str) -> str:
    """Send a mail with a link to choose a password; return the link."""
    token = new_token()
    await send_mail(tx, context.mails.write("invitation", email, token))
    await insert_mailed_token(
        tx, token_digest(token), email, "password_reset", None, tx.now + PASSWORD_RESET_LIFETIME
    )
    return context.mails.reset_link(token)


@statement("""
    INSERT INTO registrations (token_sha256, email, name, password_hash, registered_at, expires_at)
    VALUES (
        $token_sha256::bytea, $registration.email::text, $registration.name::text,
        $registration.password_hash::text, $tx.now::timestamptz, $expires_at::timestamptz
    )
""")
async def _insert_registration(
    tx: Transaction, token_sha256: bytes, registration: Registration, expires_at: datetime
) -> None:
    """Save a registration until its e-mail address is verified."""


@statement("""
    SELECT email, name, password_hash FROM registrations
    WHERE token_sha256 = $token_sha256::bytea AND expires_at > $now::timestamptz
""")
async def _find_registration(sql: Any, token_sha256: bytes, now: datetime) -> Registration | None:
    """Return the registration of a token; None if the token was used or has expired."""


@statement("""
    DELETE FROM registrations WHERE token_sha256 = $token_sha256::bytea AND expires_at > $tx.now::timestamptz
    RETURNING true
""")
async def _take_registration(tx: Transaction, token_sha256: bytes) -> bool:
    """Delete the registration of a token; return False if the token was used or has expired."""


@statement("""
    UPDATE registrations SET token_sha256 = $new_sha256::bytea, expires_at = $expires_at::timestamptz
    WHERE token_sha256 = $old_sha256::bytea
""")
async def _renew_registration(
    tx: Transaction, old_sha256: bytes, new_sha256: bytes, expires_at: datetime
) -> None:
    """Replace the token of a registration."""


@statement("DELETE FROM registrations WHERE email = $email::text")
async def delete_registrations(tx: Transaction, email: str) -> None:
    """Delete all registrations of an e-mail address."""
