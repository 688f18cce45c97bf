"""What a person changes of their own account: profile, password, e-mail address, postal addresses."""

from common.email_address import normalized_email
from common.secret_token import new_token, token_digest
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.services.users import (
    mail_store,
    recommendation_mail_store,
    registration_store,
    session_store,
    sign_in_store,
    store,
)
from producers.services.users.access_tokens import find_shopper_ids, present_user
from producers.services.users.context import UsersContext
from producers.services.users.model import (
    EMAIL_CHANGE_LIFETIME,
    FIRST_RECOMMENDATION_MAIL_AFTER,
    FREE_FAILURES,
    MAX_ADDRESSES,
    PASSWORD_RESET_LIFETIME,
)
from producers.services.users.problems import (
    DemoPerson,
    LinkEnded,
    NoPassword,
    TooManyAddresses,
    UnknownAddress,
    UnknownPerson,
    WrongPassword,
)
from producers.services.users.recommendation_mail_store import Agreement
from producers.services.users.registration import check_password, checked_email
from producers.services.users.schemas import (
    ConfirmationRequest,
    EmailChangeRequest,
    NewPasswordRequest,
    PasswordChangeRequest,
    UserResponse,
)
from producers.services.users.sessions import end_all_sessions
from producers.services.users.store import Address, Person
from producers.services.users.throttling import attempt_succeeded, begin_attempt

ASK_AGAIN = "Ask for another one with POST /v1/auth/password_resets."
CHANGE_AGAIN = "Ask for another one with POST /v1/me/email_changes."


async def show_profile(transactions: Transactions, context: UsersContext, user_id: str) -> UserResponse:
    """Return a person as they see themselves.

    Raises:
        UnknownPerson: they were erased.
    """
    async with transactions.connection() as sql:
        person = await store.find_person(sql, user_id)
        if person is None:
            raise UnknownPerson
        (shopper_id, *_) = await find_shopper_ids(sql, context.pseudonyms, person, 0)
        return present_user(person, shopper_id, await store.find_memberships(sql, user_id))


async def set_name(transactions: Transactions, user_id: str, name: str) -> None:
    """Set a person's name."""
    async with transactions.begin(Trace("")) as tx:
        await store.set_name(tx, user_id, name)


async def confirm_password(
    transactions: Transactions, context: UsersContext, user_id: str, password: str
) -> Person:
    """Return the person if the password is right. Wrong ones are slowed down as at the sign-in.

    Raises:
        UnknownPerson: the person was erased.
        DemoPerson, NoPassword: the person has no password.
        WrongPassword: it is another one.
        TooManyAttempts: the person must wait.
    """
    context.passwords.require_capacity()
    async with transactions.begin(Trace("")) as tx:
        person = await store.find_person(tx.sql, user_id)
        if person is None:
            raise UnknownPerson
        if person.is_demo:
            raise DemoPerson
        if person.password_hash is None:
            raise NoPassword
        subjects = {context.devices.signed_in(person.email): FREE_FAILURES}
        await begin_attempt(tx, subjects)
    is_right, _ = await context.passwords.verify(password, person.password_hash)
    if not is_right:
        raise WrongPassword
    async with transactions.begin(Trace("")) as tx:
        await attempt_succeeded(tx, subjects)
    return person


async def change_password(
    transactions: Transactions,
    context: UsersContext,
    user_id: str,
    session_id: str | None,
    request: PasswordChangeRequest,
) -> None:
    """Set a new password, and end the person's other sessions.

    Raises:
        WeakPassword: the new password can't be chosen.
        WrongPassword: the current password is another one; see `confirm_password` for more.
    """
    person = await confirm_password(transactions, context, user_id, request.password)
    check_password(request.new_password, person.email)
    new_hash = await context.passwords.hash(request.new_password)
    async with transactions.begin(Trace("")) as tx:
        locked = await store.lock_person(tx, user_id)
        if locked is None or locked.password_hash != person.password_hash:
            raise WrongPassword  # it was changed meanwhile
        await store.set_password(tx, user_id, new_hash)
        await mail_store.delete_mailed_tokens(tx, user_id)
        for ended in await session_store.end_sessions(tx, user_id, transactions.clock(), session_id):
            await session_store.revoke_session(tx, ended, transactions.clock())
        await mail_store.send_mail(tx, context.mails.password_changed(locked.email))


async def request_password_reset(transactions: Transactions, context: UsersContext, given: str) -> None:
    """Send a mail to an address: with a link if it has an account, and saying so if it has none.

    Both cases run the same statements, so that neither the response nor its time tells them apart.
    """
    email, token = checked_email(given), new_token()
    async with transactions.begin(Trace("")) as tx:
        has_account = await mail_store.insert_mailed_token(
            tx, token_digest(token), email, "password_reset", None, tx.now + PASSWORD_RESET_LIFETIME
        )
        mails = context.mails
        await mail_store.send_mail(
            tx, mails.password_reset(email, token) if has_account else mails.no_account(email)
        )


async def reset_password(
    transactions: Transactions, context: UsersContext, request: NewPasswordRequest
) -> str:
    """Set a new password with the token of a mail, and end all sessions; return a device token.

    The device token lets the owner sign in at once while somebody else guesses the password.

    Raises:
        LinkEnded: the token was used before or has expired.
        WeakPassword: the password can't be chosen; the token can still be used.
    """
    check_password(request.password, "")
    new_hash = await context.passwords.hash(request.password)
    async with transactions.begin(Trace("")) as tx:
        taken = await mail_store.take_mailed_token(tx, token_digest(request.token), "password_reset")
        person = None if taken is None else await store.lock_person(tx, taken[0])
        if person is None:
            raise LinkEnded(ASK_AGAIN)
        check_password(request.password, person.email)
        await store.set_password(tx, person.user_id, new_hash)
        await mail_store.delete_mailed_tokens(tx, person.user_id)
        await end_all_sessions(tx, person.user_id, transactions.clock())
        await sign_in_store.clear_throttles(tx, [context.devices.account(person.email)])
        await mail_store.send_mail(tx, context.mails.password_changed(person.email))
        return context.devices.new(person.email)


async def request_email_change(
    transactions: Transactions, context: UsersContext, user_id: str, request: EmailChangeRequest
) -> None:
    """Send a mail to the new address. If it belongs to somebody, the mail says so, and not the response.

    Raises:
        NotAnEmail: it is no address.
        WrongPassword: the password is another one; see `confirm_password` for more.
    """
    new_email, token = checked_email(request.email), new_token()
    person = await confirm_password(transactions, context, user_id, request.password)
    async with transactions.begin(Trace("")) as tx:
        is_taken = await store.find_person_by_email(tx.sql, new_email) is not None
        mails = context.mails
        mail = mails.already_registered(new_email) if is_taken else mails.email_change(new_email, token)
        if await mail_store.send_mail(tx, mail, None if is_taken else user_id) and not is_taken:
            expires_at = tx.now + EMAIL_CHANGE_LIFETIME
            await mail_store.insert_mailed_token(
                tx, token_digest(token), person.email, "email_change", new_email, expires_at
            )


async def change_email(
    transactions: Transactions, context: UsersContext, request: ConfirmationRequest
) -> str:
    """Give a person the address that they have confirmed; return it. The old address gets a notice.

    The token proves that the client reads the mails to the new address, and the password that the client has
    asked for it.

    Raises:
        LinkEnded: the token was used before or has expired, or the address belongs to somebody now.
        WrongPassword: the password is another one; see `confirm_password` for more.
    """
    digest = token_digest(request.token)
    async with transactions.connection() as sql:
        asked_by = await mail_store.find_mailed_token(sql, digest, "email_change", transactions.clock())
    if asked_by is None:
        raise LinkEnded(CHANGE_AGAIN)
    await confirm_password(transactions, context, asked_by, request.password)
    async with transactions.begin(Trace("")) as tx:
        taken = await mail_store.take_mailed_token(tx, digest, "email_change")
        if taken is None or taken[1] is None:
            raise LinkEnded(CHANGE_AGAIN)
        user_id, new_email = taken[0], taken[1]
        person = await store.lock_person(tx, user_id)
        await store.lock_email(tx, new_email)
        if person is None or await store.find_person_by_email(tx.sql, new_email) is not None:
            raise LinkEnded("The address belongs to another account now.")
        await mail_store.send_mail(tx, context.mails.email_changed(person.email))
        await mail_store.assign_mails(tx, person)
        await store.set_email(tx, user_id, new_email)
        await mail_store.delete_mailed_tokens(tx, user_id)
        await registration_store.delete_registrations(tx, new_email)
        return normalized_email(new_email)


async def want_recommendation_mails(
    transactions: Transactions, user_id: str, *, wanted: bool
) -> Agreement | None:
    """Record whether a person wants mails with recommendations, and return the agreement if they do.

    An agreement that was given before stays as it is.

    Raises:
        UnknownPerson: they were erased.
        DemoPerson: the person has no address to which a mail could go.
    """
    async with transactions.begin(Trace("")) as tx:
        person = await store.lock_person(tx, user_id)
        if person is None:
            raise UnknownPerson
        if not wanted:
            await recommendation_mail_store.end(tx, user_id)
            return None
        if person.is_demo:
            raise DemoPerson
        await recommendation_mail_store.agree(tx, user_id, FIRST_RECOMMENDATION_MAIL_AFTER)
        return await recommendation_mail_store.find_agreement(tx.sql, user_id)


async def unsubscribe(transactions: Transactions, context: UsersContext, token: str) -> None:
    """End the mails with recommendations to the person of a token; a second time changes nothing.

    Raises:
        LinkEnded: the token is not from a mail of this shop.
    """
    user_id = context.unsubscribe_links.person(token)
    if user_id is None:
        raise LinkEnded("Open the link from the mail again, or end the mails on the page of your account.")
    async with transactions.begin(Trace("")) as tx:
        await recommendation_mail_store.end(tx, user_id)


async def save_address(transactions: Transactions, user_id: str, address: Address) -> None:
    """Save an address of a person, new or changed.

    Raises:
        UnknownPerson: the person was erased.
        TooManyAddresses: the person has as many as they may have.
    """
    async with transactions.begin(Trace("")) as tx:
        if await store.lock_person(tx, user_id) is None:
            raise UnknownPerson
        others = {each.address_id for each in await store.find_addresses(tx.sql, user_id)} - {
            address.address_id
        }
        if len(others) >= MAX_ADDRESSES:
            raise TooManyAddresses
        await store.save_address(tx, user_id, address)


async def delete_address(transactions: Transactions, user_id: str, address_id: str) -> None:
    """Delete an address of a person.

    Raises:
        UnknownAddress: the person has no such address.
    """
    async with transactions.begin(Trace("")) as tx:
        if not await store.delete_address(tx, user_id, address_id):
            raise UnknownAddress
