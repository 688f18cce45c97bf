"""Registers people: first their wish, then, when their e-mail address is verified, the person."""

from uuid import uuid4

from common.email_address import normalized_email
from common.ids import new_id
from common.secret_token import new_token, token_digest
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.services.users import mail_store, registration_store, session_store, store
from producers.services.users.context import UsersContext
from producers.services.users.demo_end import end_demo
from producers.services.users.model import (
    PASSWORD_RESET_LIFETIME,
    VERIFICATION_LIFETIME,
    is_email,
    password_flaw,
)
from producers.services.users.people import require_other_admin
from producers.services.users.problems import (
    LinkEnded,
    NotAnEmail,
    UnknownPerson,
    WeakPassword,
    WrongRegistrationPassword,
)
from producers.services.users.pseudonyms import link
from producers.services.users.registration_store import Registration
from producers.services.users.schemas import (
    ConfirmationRequest,
    PersonRequest,
    RegisteredResponse,
    RegistrationRequest,
)
from producers.services.users.session_store import Client
from producers.services.users.store import Person
from producers.services.users.throttling import attempt_succeeded, begin_attempt, registration_subjects

REGISTER_AGAIN = "Sign in, or register again: another mail follows."


def checked_email(email: str) -> str:
    """Return an e-mail address in its normal form.

    Raises:
        NotAnEmail: it is none.
    """
    normalized = normalized_email(email)
    if not is_email(normalized):
        raise NotAnEmail
    return normalized


def check_password(password: str, email: str) -> None:
    """Check that a password can be chosen.

    Raises:
        WeakPassword: it can't.
    """
    if flaw := password_flaw(password, email):
        raise WeakPassword(flaw)


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
            context.mails.already_registered(email)
            if is_registered
            else context.mails.verification(email, token, request.next)
        )
        if await mail_store.send_mail(tx, mail) and not is_registered:
            registration = Registration(email, request.name, password_hash)
            await registration_store.insert_registration(
                tx, token_digest(token), registration, tx.now + VERIFICATION_LIFETIME
            )


async def send_verification_again(
    transactions: Transactions, context: UsersContext, given: str, registration_sha256: bytes
) -> None:
    """Send the mail of a registration again, with a new link."""
    email, token = normalized_email(given), new_token()
    async with transactions.begin(Trace("")) as tx:
        if await mail_store.send_mail(tx, context.mails.verification(email, token)):
            await registration_store.renew_registration(
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
        LinkEnded: the token was used before or has expired, or the address belongs to somebody already.
        WrongRegistrationPassword: the password is another one.
        TooManyAttempts: this client must wait. The password was not looked at.
        HashingBusy: too many people sign in at this moment.
    """
    digest, shopper_id = token_digest(request.token), new_id()
    subjects = registration_subjects(context.devices, digest, client.address)
    context.passwords.require_capacity()
    async with transactions.begin(Trace("")) as tx:
        registration = await registration_store.find_registration(tx.sql, digest, tx.now)
        if registration is None:
            raise LinkEnded(REGISTER_AGAIN)
        await begin_attempt(tx, subjects)
    is_right, _ = await context.passwords.verify(request.password, registration.password_hash)
    if not is_right:
        raise WrongRegistrationPassword
    async with transactions.begin(Trace.start(shopper_id, traceparent)) as tx:
        # Before the row of the registration: two links to one address would wait for each other otherwise.
        await store.lock_email(tx, registration.email)
        if not await registration_store.take_registration(tx, digest):
            raise LinkEnded(REGISTER_AGAIN)
        person = await create_person(
            tx, context, shopper_id, registration.email, registration.name, registration.password_hash
        )
        if person is None:
            raise LinkEnded("The address has an account already: sign in with it.")
        await attempt_succeeded(tx, subjects)
        return registration.email


async def create_person(
    tx: Transaction,
    context: UsersContext,
    shopper_id: str,
    email: str,
    name: str,
    password_hash: str | None = None,
    role: str | None = None,
) -> Person | None:
    """Make a real person with a verified address; return None if the address belongs to somebody.

    The first real person ends the demo.
    """
    await store.lock_email(tx, email)
    await end_demo(tx)
    person = await insert_person(tx, context, shopper_id, email, name, password_hash, role)
    if person is None:
        return None
    await registration_store.delete_registrations(tx, email)
    await store.insert_pseudonym(tx, shopper_id)
    tx.emit("shopper_registered", shopper_id=shopper_id)
    return person


async def insert_person(
    tx: Transaction,
    context: UsersContext,
    shopper_id: str,
    email: str,
    name: str,
    password_hash: str | None = None,
    role: str | None = None,
    is_demo: bool = False,
) -> Person | None:
    """Insert a person with a new key; return None if the address belongs to somebody."""
    user_id = str(
        uuid4()
    )  # random, because the time in a UUIDv7 could be compared with that in the shopper id
    key, sealed_key = context.pseudonyms.new_person_key(user_id)
    sealed_shopper_id = link(key, user_id, shopper_id)
    inserted = await store.insert_person(
        tx,
        Person(
            user_id=user_id,
            email=email,
            name=name,
            password_hash=password_hash,
            role=role,  # type: ignore[arg-type]  # a constraint of the table checks it
            is_demo=is_demo,
            sealed_shopper_id=sealed_shopper_id,
            sealed_key=sealed_key,
            verified_at=tx.now,
            suspended_at=None,
            suspension_reason=None,
        ),
    )
    return await store.lock_person(tx, user_id) if inserted else None


async def register_for_operator(
    transactions: Transactions, context: UsersContext, request: PersonRequest, traceparent: str | None
) -> RegisteredResponse:
    """Make a person with a role, or give the role to the person with this address.

    Whoever has no password yet gets a link to choose one, also after an earlier link has ended.

    Raises:
        NotAnEmail: it is no address.
        LastAdministrator: nobody would be left who can administer the shop.
        UnknownPerson: the person is erased at this moment.
    """
    email, role = checked_email(request.email), None if request.role == "shopper" else request.role
    shopper_id, reset_link = new_id(), None
    async with transactions.begin(Trace.start(shopper_id, traceparent)) as tx:
        person = await create_person(tx, context, shopper_id, email, request.name, None, role)
        if person is None:
            person = await _lock_registered(tx, email, role)
            await store.set_role(tx, person.user_id, role)
            await session_store.revoke_person(tx, person.user_id, transactions.clock())
        if person.password_hash is None and not person.is_demo:
            reset_link = await _invite(tx, context, email)
    return {"user_id": person.user_id, "email": email, "role": request.role, "reset_link": reset_link}


async def _lock_registered(tx: Transaction, email: str, role: str | None) -> Person:
    """Lock and return the person with an address, who is to have a role."""
    user_id = await store.find_person_by_email(tx.sql, email)
    if user_id is None:
        raise UnknownPerson
    if role != "admin":
        await require_other_admin(tx, user_id)
    person = await store.lock_person(tx, user_id)
    if person is None:
        raise UnknownPerson
    return person


async def _invite(tx: Transaction, context: UsersContext, email: str) -> str:
    """Send a mail with a link to choose a password; return the link."""
    token = new_token()
    await mail_store.send_mail(tx, context.mails.invitation(email, token))
    await mail_store.insert_mailed_token(
        tx, token_digest(token), email, "password_reset", None, tx.now + PASSWORD_RESET_LIFETIME
    )
    return context.mails.reset_link(token)
