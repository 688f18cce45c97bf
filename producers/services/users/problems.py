"""Error responses of the endpoints of people."""

from common.problems import PartProblem, Problem, problem
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


WRONG_PASSWORD = problem(
    403,
    "wrong-password",
    "The password is wrong",
    "This change needs your current password. Nothing was changed.",
)
WRONG_REGISTRATION_PASSWORD = problem(
    403,
    "wrong-registration-password",
    "The password is wrong",
    "This is not the password that was given at this registration. Nothing was changed. If you did not "
    "register, ignore the mail. If you have forgotten the password, register again with POST "
    "/v1/auth/registrations.",
)
NO_PASSWORD = problem(
    409,
    "no-password",
    "There is no password yet",
    "This needs your password, and you have none yet. Choose one with POST /v1/auth/password_resets.",
)
TOO_MANY_ATTEMPTS = problem(
    429,
    "too-many-attempts",
    "Too many attempts",
    "Too many wrong passwords were tried here. Try again in {seconds} s, or ask for a new password with POST "
    "/v1/auth/password_resets.",
)
HASHING_BUSY = problem(
    503,
    "temporary-reduced-capacity",
    "Too many people sign in now",
    "Nothing was changed. Send the same request again in 2 s.",
    retry_after_s=2,
    error=PartProblem,
)
KEYS_NOT_READY = problem(
    503,
    "not-ready",
    "Not ready yet",
    "The keys of the users service are not ready. Send the same request again in 2 s. If this stays, "
    "`internal_secret` in secrets.toml is not the one with which this copy was made.",
    retry_after_s=2,
    error=PartProblem,
)
ACCOUNT_SUSPENDED = problem(
    403,
    "account-suspended",
    "This account is suspended",
    "An administrator has suspended this account: {reason}. Write to the shop.",
)
INVALID_REFRESH_TOKEN = problem(
    401,
    "session-ended",
    "The session has ended",
    "This refresh token can't be used any more. Sign in again with POST /v1/auth/sessions.",
)
LINK_ENDED = problem(
    410,
    "link-ended",
    "This link has ended",
    "The link was used before, or it has expired. {again}",
)
WEAK_PASSWORD = problem(
    422,
    "weak-password",
    "Choose another password",
    "{flaw} Choose another password of 10 to 200 characters.",
)
NOT_AN_EMAIL = problem(
    422,
    "not-an-email",
    "This is no e-mail address",
    "Send an address such as ana@shop.example.",
)
TOO_MANY_ADDRESSES = problem(
    409,
    "too-many-addresses",
    "Too many addresses",
    f"A person may have {MAX_ADDRESSES} addresses. Delete one first.",
)
TOO_MANY_FOLLOWED_SELLERS = problem(
    409,
    "too-many-followed-sellers",
    "Too many followed sellers",
    f"A person may follow {MAX_FOLLOWED_SELLERS} sellers. Unfollow one first.",
)
NOT_SELLING_NOW = problem(
    404,
    "unknown-seller",
    "Unknown seller",
    "No seller {seller_id!r} sells here now. Take the id from a product.",
)
UNKNOWN_ADDRESS = problem(
    404,
    "unknown-address",
    "Unknown address",
    "You have no address with this id. GET /v1/me/addresses shows those that you have.",
)
UNKNOWN_SESSION = problem(
    404,
    "unknown-session",
    "Unknown session",
    "You have no session with this id. GET /v1/me/sessions shows those that you have.",
)
UNKNOWN_PERSON = problem(
    404,
    "unknown-person",
    "Unknown person",
    "Nobody has this id. GET /v1/people finds people by their e-mail address and name.",
)
CURSOR_NOT_USABLE = problem(
    422,
    "bad-parameter",
    "A parameter can't be used",
    "cursor: use the `next_cursor` of the previous page, or leave it out.",
)
LAST_ADMINISTRATOR = problem(
    409,
    "last-administrator",
    "This is the last administrator",
    "Make another person an administrator first. Nothing was changed.",
)
DEMO_PERSON = problem(
    409,
    "demo-person",
    "This is a person of the demo",
    "People of the demo have no e-mail address and no password. Register to have your own.",
)
DEMO_UNAVAILABLE = problem(
    409,
    "demo-unavailable",
    "The demo is not available",
    "This copy has no demo, or a real person is registered here. Sign in with POST /v1/auth/sessions.",
)
SELLER_MISSING = problem(
    422,
    "bad-parameter",
    "A parameter can't be used",
    "seller_id: name the seller whose owner the session is.",
)
