"""Error responses of the endpoints of people."""

from math import ceil

from common.errors import PartUnavailable
from common.problems import Problem
from producers.services.users.model import MAX_ADDRESSES, MAX_FOLLOWED_SELLERS


class WrongCredentials(Problem):
    """No account has this e-mail address and this password, or its address is not verified yet.

    `registration_sha256` is the registration with this password whose address is not verified yet. The
    response does not reveal whether there is one.
    """

    status, kind, title = 401, "wrong-credentials", "E-mail address or password is wrong"

    def __init__(self, registration_sha256: bytes | None = None) -> None:
        self.registration_sha256 = registration_sha256
        super().__init__(
            "No account can be opened with this e-mail address and this password. Check both, or ask for a "
            "new password with POST /v1/auth/password_resets. If you have just registered, follow the link "
            "in the mail first."
        )


class WrongPassword(Problem):
    """The password with which a signed-in person confirms a change is wrong."""

    status, kind, title = 403, "wrong-password", "The password is wrong"

    def __init__(self) -> None:
        super().__init__("This change needs your current password. Nothing was changed.")


class WrongRegistrationPassword(Problem):
    """The password with which somebody confirms a registration is another one than at the registration."""

    status, kind, title = 403, "wrong-registration-password", "The password is wrong"

    def __init__(self) -> None:
        super().__init__(
            "This is not the password that was given at this registration. Nothing was changed. If you did "
            "not register, ignore the mail. If you have forgotten the password, register again with POST "
            "/v1/auth/registrations."
        )


class NoPassword(Problem):
    """The person has no password yet."""

    status, kind, title = 409, "no-password", "There is no password yet"

    def __init__(self) -> None:
        super().__init__(
            "This needs your password, and you have none yet. Choose one with POST /v1/auth/password_resets."
        )


class TooManyAttempts(Problem):
    """Too many wrong passwords were tried."""

    status, kind, title = 429, "too-many-attempts", "Too many attempts"

    def __init__(self, wait_s: float) -> None:
        seconds = max(ceil(wait_s), 1)
        super().__init__(
            f"Too many wrong passwords were tried here. Try again in {seconds} s, or ask for a new password "
            "with POST /v1/auth/password_resets."
        )
        self.retry_after_s = seconds


class HashingBusy(Problem, PartUnavailable):
    """Too many passwords are being verified."""

    status, kind, title = 503, "temporary-reduced-capacity", "Too many people sign in now"
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Nothing was changed. Send the same request again in 2 s.")


class KeysNotReady(Problem, PartUnavailable):
    """No key can sign an access token, or the keys of people can't be read."""

    status, kind, title = 503, "not-ready", "Not ready yet"
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__(
            "The keys of the users service are not ready. Send the same request again in 2 s. If this stays, "
            "`internal_secret` in secrets.toml is not the one with which this copy was made."
        )


class AccountSuspended(Problem):
    """An administrator has suspended the person."""

    status, kind, title = 403, "account-suspended", "This account is suspended"

    def __init__(self, reason: str) -> None:
        super().__init__(f"An administrator has suspended this account: {reason}. Write to the shop.")


class InvalidRefreshToken(Problem):
    """The refresh token was used before, or its session has ended."""

    status, kind, title = 401, "session-ended", "The session has ended"

    def __init__(self) -> None:
        super().__init__(
            "This refresh token can't be used any more. Sign in again with POST /v1/auth/sessions."
        )


class LinkEnded(Problem):
    """The token of a mail was used before, has expired, or was never sent."""

    status, kind, title = 410, "link-ended", "This link has ended"

    def __init__(self, again: str) -> None:
        super().__init__(f"The link was used before, or it has expired. {again}")


class WeakPassword(Problem):
    """The password can't be chosen."""

    status, kind, title = 422, "weak-password", "Choose another password"

    def __init__(self, flaw: str) -> None:
        super().__init__(f"{flaw} Choose another password of 10 to 200 characters.")


class NotAnEmail(Problem):
    """The text is no e-mail address."""

    status, kind, title = 422, "not-an-email", "This is no e-mail address"

    def __init__(self) -> None:
        super().__init__("Send an address such as ana@shop.example.")


class TooManyAddresses(Problem):
    """The person has as many addresses as they may have."""

    status, kind, title = 409, "too-many-addresses", "Too many addresses"

    def __init__(self) -> None:
        super().__init__(f"A person may have {MAX_ADDRESSES} addresses. Delete one first.")


class TooManyFollowedSellers(Problem):
    """The person follows as many sellers as they may."""

    status, kind, title = 409, "too-many-followed-sellers", "Too many followed sellers"

    def __init__(self) -> None:
        super().__init__(f"A person may follow {MAX_FOLLOWED_SELLERS} sellers. Unfollow one first.")


class NotSellingNow(Problem):
    """Nobody with this id may sell now."""

    status, kind, title = 404, "unknown-seller", "Unknown seller"

    def __init__(self, seller_id: str) -> None:
        super().__init__(f"No seller {seller_id!r} sells here now. Take the id from a product.")


class UnknownAddress(Problem):
    """The person has no such address."""

    status, kind, title = 404, "unknown-address", "Unknown address"

    def __init__(self) -> None:
        super().__init__("You have no address with this id. GET /v1/me/addresses shows those that you have.")


class UnknownSession(Problem):
    """The person has no such session, or it has ended."""

    status, kind, title = 404, "unknown-session", "Unknown session"

    def __init__(self) -> None:
        super().__init__("You have no session with this id. GET /v1/me/sessions shows those that you have.")


class UnknownPerson(Problem):
    """There is no such person."""

    status, kind, title = 404, "unknown-person", "Unknown person"

    def __init__(self) -> None:
        super().__init__("Nobody has this id. GET /v1/people finds people by their e-mail address and name.")


class CursorNotUsable(Problem):
    """The cursor is not one of a response."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self) -> None:
        super().__init__("cursor: use the `next_cursor` of the previous page, or leave it out.")


class LastAdministrator(Problem):
    """Without this person, nobody could administer the shop."""

    status, kind, title = 409, "last-administrator", "This is the last administrator"

    def __init__(self) -> None:
        super().__init__("Make another person an administrator first. Nothing was changed.")


class DemoPerson(Problem):
    """The person exists only in the demo."""

    status, kind, title = 409, "demo-person", "This is a person of the demo"

    def __init__(self) -> None:
        super().__init__(
            "People of the demo have no e-mail address and no password. Register to have your own."
        )


class DemoUnavailable(Problem):
    """The demo is not enabled, or a real person is registered."""

    status, kind, title = 409, "demo-unavailable", "The demo is not available"

    def __init__(self) -> None:
        super().__init__(
            "This copy has no demo, or a real person is registered here. Sign in with POST /v1/auth/sessions."
        )


class SellerMissing(Problem):
    """The demo session of a seller names no seller."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self) -> None:
        super().__init__("seller_id: name the seller whose owner the session is.")
