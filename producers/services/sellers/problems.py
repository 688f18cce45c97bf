"""Error responses of the endpoints of sellers."""

from collections.abc import Sequence
from typing import NamedTuple

from common.access_policy import NotAllowed
from common.problems import Problem, ProblemKind, problem


def _not_allowed(detail: str) -> ProblemKind:
    return problem(NotAllowed.status, NotAllowed.kind, NotAllowed.title, detail, error=NotAllowed)


UNKNOWN_SELLER = problem(
    404,
    "unknown-seller",
    "Unknown seller",
    "No seller has the id {seller_id!r}. See GET /v1/seller_applications for the ids.",
)
UNKNOWN_APPLICATION = problem(
    404,
    "unknown-application",
    "Unknown application",
    "No application has the id {application_id!r}. See GET /v1/seller_applications for the ids.",
)
APPLICATION_OPEN = problem(
    409,
    "application-open",
    "An application is open already",
    "Your last application is not decided yet. See GET /v1/seller_applications/mine, and apply again after "
    "the decision.",
)
NOT_A_PERSON = _not_allowed("Only a person with an account can do this. Sign in at /sign-in.")
WRONG_STATUS = problem(
    409,
    "wrong-status",
    "The seller's status does not allow this",
    "Seller {seller_id!r} is {status} and can't become {to}. Nothing was changed.",
)
UNKNOWN_STAFF = problem(
    404,
    "unknown-staff",
    "Unknown member of the staff",
    "Nobody with the id {user_id!r} works for this seller. See GET /v1/sellers/{seller_id}/staff.",
)
NOT_A_STAFF_MANAGER = _not_allowed(
    "Only an owner or a manager of the seller may change its staff. Ask one of them."
)
ONLY_OWNERS = _not_allowed("Only an owner of the seller may make or remove an owner. Ask one of them.")
LAST_OWNER = problem(
    409,
    "last-owner",
    "The last owner can't be removed",
    "A seller keeps at least one owner. Make another person an owner first.",
)
TOO_MANY_SELLERS = problem(
    409,
    "too-many-sellers",
    "Too many sellers for one person",
    "A person may work for {limit} sellers, or for fewer if the ids of these are very long. Nothing was "
    "changed: the person must leave one of their sellers first, or use another account.",
)
UNKNOWN_INVITATION = problem(
    404,
    "unknown-invitation",
    "Unknown invitation",
    "No open invitation has the id {invitation_id!r}. See GET /v1/sellers/{seller_id}/staff.",
)
TOO_MANY_INVITATIONS = problem(
    409,
    "too-many-invitations",
    "Too many invitations",
    "A seller may have {limit} open invitations. Withdraw one of them first.",
)
TOO_MANY_MAILS = problem(
    429,
    "too-many-mails",
    "Too many mails to this address",
    "This address got several invitations within an hour. Nothing was changed; try again in an hour.",
    retry_after_s=3600,
)
INVITATION_ENDED = problem(
    410,
    "invitation-ended",
    "This invitation has ended",
    "The invitation was used, refused, replaced or withdrawn, it has expired, or the seller is suspended. "
    "Ask the seller for another one.",
)
NOT_THE_INVITED_PERSON = problem(
    403,
    "not-the-invited-person",
    "This invitation is for another e-mail address",
    "Your account has another e-mail address than the one to which the invitation was sent. Sign in with the "
    "account of that address, or create one.",
)
UNKNOWN_KEY = problem(
    404,
    "unknown-api-key",
    "Unknown API key",
    "There is no such API key that is valid. Create or look up keys at {at}.",
)
TOO_MANY_KEYS = problem(
    409,
    "too-many-api-keys",
    "Too many API keys",
    "A seller may have {limit} API keys. Revoke one that is not used any more.",
)
PAST_TIME = problem(
    422,
    "bad-parameter",
    "A parameter can't be used",
    "{field}: the time is in the past. Send a later time, or leave the field out.",
)
TOO_MANY_COSTS = problem(
    422,
    "too-many-costs",
    "Too many costs",
    "A request may have {limit:,} costs. Nothing was saved; split it into several.",
)
NOT_JSON_OR_CSV = problem(
    415,
    "not-json-or-csv",
    "The body is not JSON or CSV",
    "Send JSON or CSV, with the header `Content-Type: application/json` or `text/csv`. Nothing was changed.",
)


class RowError(NamedTuple):
    """Why a row of a request can't be used. `row` is its number, from 1; the header of a CSV counts."""

    row: int
    message: str


class BadCosts(Problem):
    """Rows of a list of costs can't be used. Its member `errors` has the first of them."""

    status, kind, title = 422, "bad-costs", "Some costs can't be used"
    shown = 50

    def __init__(self, errors: Sequence[RowError]) -> None:
        self.errors = sorted(errors)
        self.extensions = {"errors": [error._asdict() for error in self.errors[: self.shown]]}
        row, message = self.errors[0]
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        super().__init__(
            f"Row {row}: {message}{more}. Nothing was saved. Correct the file and send it again."
        )
