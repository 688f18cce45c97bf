"""What a person changes of their own account: password, e-mail address, postal addresses."""

from common.email_address import normalized_email
from common.secret_token import new_token, token_digest
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.services.users import store
from producers.services.users.context import UsersContext
from producers.services.users.mails import (
    assign_mails,
    delete_mailed_tokens,
    find_mailed_token,
    insert_mailed_token,
    send_mail,
    take_mailed_token,
)
from producers.services.users.model import (
    EMAIL_CHANGE_LIFETIME,
    FREE_FAILURES,
    MAX_ADDRESSES,
    PASSWORD_RESET_LIFETIME,
)
from producers.services.users.passwords import (
    attempt_succeeded,
    begin_attempt,
    check_password,
    clear_throttles,
)
from producers.services.users.problems import (
    DEMO_PERSON,
    LINK_ENDED,
    NO_PASSWORD,
    TOO_MANY_ADDRESSES,
    WRONG_PASSWORD,
)
from producers.services.users.pseudonyms import find_shopper_ids
from producers.services.users.registration import checked_email, delete_registrations
from producers.services.users.schemas import (
    ConfirmationRequest,
    EmailChangeRequest,
    NewPasswordRequest,
    PasswordChangeRequest,
    UserResponse,
)
from producers.services.users.sessions import end_all_sessions, end_sessions, present_user
from producers.services.users.store import Address, Person

ASK_AGAIN = "Ask for another one with POST /v1/auth/password_resets."
CHANGE_AGAIN = "Ask for another one with POST /v1/me/email_changes."


async def show_profile(transactions: Transactions, context: UsersContext, user_id: str) -> UserResponse:
    """Return a person as they see themselves.

    Raises:
        UNKNOWN_PERSON: they were erased.
    """
    async with transactions.connection() as sql:
        person = await store.require_person(sql, user_id)
        (shopper_id, *_) = await find_shopper_ids(sql, context.pseudonyms, person, 0)
        return present_user(person, shopper_id, await store.find_memberships(sql, user_id))


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
        if person.password_hash is None:
            raise NO_PASSWORD()
        subjects = {context.devices.signed_in(person.email): FREE_FAILURES}
        await begin_attempt(tx, subjects)
    is_right, _ = await context.passwords.verify(password, person.password_hash)
    if not is_right:
        raise WRONG_PASSWORD()
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
        WEAK_PASSWORD: the new password can't be chosen.
        WRONG_PASSWORD: the current password is another one; see `confirm_password` for more.
    """
    person = await confirm_password(transactions, context, user_id, request.password)
    check_password(request.new_password, person.email)
    new_hash = await context.passwords.hash(request.new_password)
    async with transactions.begin(Trace("")) as tx:
        locked = await store.lock_person(tx, user_id)
        if locked is None or locked.password_hash != person.password_hash:
            raise WRONG_PASSWORD()  # it was changed meanwhile
        await store.set_password(tx, user_id, new_hash)
        await delete_mailed_tokens(tx, user_id)
        await end_sessions(tx, user_id, transactions.clock(), session_id)
        await send_mail(tx, context.mails.password_changed(locked.email))


async def request_password_reset(transactions: Transactions, context: UsersContext, given: str) -> None:
    """Send a mail to an address: with a link if it has an account, and saying so if it has none.

    Both cases run the same statements, so that neither the response nor its time tells them apart.
    """
    email, token = checked_email(given), new_token()
    async with transactions.begin(Trace("")) as tx:
        has_account = await insert_mailed_token(
            tx, token_digest(token), email, "password_reset", None, tx.now + PASSWORD_RESET_LIFETIME
        )
        mails = context.mails
        await send_mail(tx, mails.password_reset(email, token) if has_account else mails.no_account(email))


async def reset_password(
    transactions: Transactions, context: UsersContext, request: NewPasswordRequest
) -> str:
    """Set a new password with the token of a mail, and end all sessions; return a device token.

    The device token lets the owner sign in at once while somebody else guesses the password.

    Raises:
        LINK_ENDED: the token was used before or has expired.
        WEAK_PASSWORD: the password can't be chosen; the token can still be used.
    """
    check_password(request.password, "")
    new_hash = await context.passwords.hash(request.password)
    async with transactions.begin(Trace("")) as tx:
        taken = await take_mailed_token(tx, token_digest(request.token), "password_reset")
        person = None if taken is None else await store.lock_person(tx, taken.user_id)
        if person is None:
            raise LINK_ENDED(again=ASK_AGAIN)
        check_password(request.password, person.email)
        await store.set_password(tx, person.user_id, new_hash)
        await delete_mailed_tokens(tx, person.user_id)
        await end_all_sessions(tx, person.user_id, transactions.clock())
        await clear_throttles(tx, [context.devices.account(person.email)])
        await send_mail(tx, context.mails.password_changed(person.email))
        return context.devices.new(person.email)


async def request_email_change(
    transactions: Transactions, context: UsersContext, user_id: str, request: EmailChangeRequest
) -> None:
    """Send a mail to the new address. If it belongs to somebody, the mail says so, and not the response.

    Raises:
        NOT_AN_EMAIL: it is no address.
        WRONG_PASSWORD: the password is another one; see `confirm_password` for more.
    """
    new_email, token = checked_email(request.email), new_token()
    person = await confirm_password(transactions, context, user_id, request.password)
    async with transactions.begin(Trace("")) as tx:
        is_taken = await store.find_person_by_email(tx.sql, new_email) is not None
        mails = context.mails
        mail = mails.already_registered(new_email) if is_taken else mails.email_change(new_email, token)
        if await send_mail(tx, mail, None if is_taken else user_id) and not is_taken:
            expires_at = tx.now + EMAIL_CHANGE_LIFETIME
            await insert_mailed_token(
                tx, token_digest(token), person.email, "email_change", new_email, expires_at
            )


async def change_email(
    transactions: Transactions, context: UsersContext, request: ConfirmationRequest
) -> str:
    """Give a person the address that they have confirmed; return it. The old address gets a notice.

    The token proves that the client reads the mails to the new address, and the password that the client has
    asked for it.

    Raises:
        LINK_ENDED: the token was used before or has expired, or the address belongs to somebody now.
        WRONG_PASSWORD: the password is another one; see `confirm_password` for more.
    """
    digest = token_digest(request.token)
    async with transactions.connection() as sql:
        asked_by = await find_mailed_token(sql, digest, "email_change", transactions.clock())
    if asked_by is None:
        raise LINK_ENDED(again=CHANGE_AGAIN)
    await confirm_password(transactions, context, asked_by, request.password)
    async with transactions.begin(Trace("")) as tx:
        taken = await take_mailed_token(tx, digest, "email_change")
        if taken is None or taken.new_email is None:
            raise LINK_ENDED(again=CHANGE_AGAIN)
        user_id, new_email = taken.user_id, taken.new_email
        person = await store.lock_person(tx, user_id)
        await store.lock_email(tx, new_email)
        if person is None or await store.find_person_by_email(tx.sql, new_email) is not None:
            raise LINK_ENDED(again="The address belongs to another account now.")
        await send_mail(tx, context.mails.email_changed(person.email))
        await assign_mails(tx, person)
        await store.set_email(tx, user_id, new_email)
        await delete_mailed_tokens(tx, user_id)
        await delete_registrations(tx, new_email)
        return normalized_email(new_email)


async def save_address(transactions: Transactions, user_id: str, address: Address) -> None:
    """Save an address of a person, new or changed.

    Raises:
        UNKNOWN_PERSON: the person was erased.
        TOO_MANY_ADDRESSES: the person has as many as they may have.
    """
    async with transactions.begin(Trace("")) as tx:
        await store.require_locked_person(tx, user_id)
        others = {each.address_id for each in await store.find_addresses(tx.sql, user_id)} - {
            address.address_id
        }
        if len(others) >= MAX_ADDRESSES:
            raise TOO_MANY_ADDRESSES()
        await store.save_address(tx, user_id, address)
