"""Error responses of the endpoints of sellers."""

from collections.abc import Sequence
from typing import NamedTuple

from common.access_policy import NotAllowed
from common.problems import Problem


class UnknownSeller(Problem):
    """There is no such seller."""

    status, kind, title = 404, "unknown-seller", "Unknown seller"

    def __init__(self, seller_id: str) -> None:
        super().__init__(f"No seller has the id {seller_id!r}. See GET /v1/seller_applications for the ids.")


class UnknownApplication(Problem):
    """There is no such application."""

    status, kind, title = 404, "unknown-application", "Unknown application"

    def __init__(self, application_id: str) -> None:
        super().__init__(
            f"No application has the id {application_id!r}. See GET /v1/seller_applications for the ids."
        )


class ApplicationOpen(Problem):
    """The person has an application that is not decided yet."""

    status, kind, title = 409, "application-open", "An application is open already"

    def __init__(self) -> None:
        super().__init__(
            "Your last application is not decided yet. See GET /v1/seller_applications/mine, and apply again "
            "after the decision."
        )


class NotAPerson(NotAllowed):
    """The principal has no account."""

    def __init__(self) -> None:
        super().__init__("Only a person with an account can do this. Sign in at /sign-in.")


class WrongStatus(Problem):
    """The seller's status does not allow the change."""

    status, kind, title = 409, "wrong-status", "The seller's status does not allow this"

    def __init__(self, seller_id: str, status: str, to: str) -> None:
        super().__init__(f"Seller {seller_id!r} is {status} and can't become {to}. Nothing was changed.")


class UnknownStaff(Problem):
    """The person does not work for the seller."""

    status, kind, title = 404, "unknown-staff", "Unknown member of the staff"

    def __init__(self, seller_id: str, user_id: str) -> None:
        super().__init__(
            f"Nobody with the id {user_id!r} works for this seller. See GET /v1/sellers/{seller_id}/staff."
        )


class NotAStaffManager(NotAllowed):
    """The person may not change the staff."""

    def __init__(self) -> None:
        super().__init__("Only an owner or a manager of the seller may change its staff. Ask one of them.")


class OnlyOwners(NotAllowed):
    """The change makes or removes an owner."""

    def __init__(self) -> None:
        super().__init__("Only an owner of the seller may make or remove an owner. Ask one of them.")


class LastOwner(Problem):
    """The change would leave the seller without an owner."""

    status, kind, title = 409, "last-owner", "The last owner can't be removed"

    def __init__(self) -> None:
        super().__init__("A seller keeps at least one owner. Make another person an owner first.")


class TooManySellers(Problem):
    """The person works for as many sellers as a person may."""

    status, kind, title = 409, "too-many-sellers", "Too many sellers for one person"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"A person may work for {limit} sellers, or for fewer if the ids of these are very long. Nothing "
            "was changed: the person must leave one of their sellers first, or use another account."
        )


class UnknownInvitation(Problem):
    """The seller has no such open invitation."""

    status, kind, title = 404, "unknown-invitation", "Unknown invitation"

    def __init__(self, seller_id: str, invitation_id: str) -> None:
        super().__init__(
            f"No open invitation has the id {invitation_id!r}. See GET /v1/sellers/{seller_id}/staff."
        )


class TooManyInvitations(Problem):
    """The seller has as many open invitations as it may have."""

    status, kind, title = 409, "too-many-invitations", "Too many invitations"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A seller may have {limit} open invitations. Withdraw one of them first.")


class TooManyMails(Problem):
    """The address got as many invitations within an hour as it may get."""

    status, kind, title = 429, "too-many-mails", "Too many mails to this address"
    retry_after_s = 3600

    def __init__(self) -> None:
        super().__init__(
            "This address got several invitations within an hour. Nothing was changed; try again in an hour."
        )


class InvitationEnded(Problem):
    """The invitation is not open, or its seller is suspended."""

    status, kind, title = 410, "invitation-ended", "This invitation has ended"

    def __init__(self) -> None:
        super().__init__(
            "The invitation was used, refused, replaced or withdrawn, it has expired, or the seller is "
            "suspended. Ask the seller for another one."
        )


class NotTheInvitedPerson(Problem):
    """The verified e-mail address of the signed-in person is not the invited one."""

    status, kind, title = 403, "not-the-invited-person", "This invitation is for another e-mail address"

    def __init__(self) -> None:
        super().__init__(
            "Your account has another e-mail address than the one to which the invitation was sent. Sign in "
            "with the account of that address, or create one."
        )


class UnknownKey(Problem):
    """No valid API key is meant: it is wrong, revoked or expired, or its seller is not approved."""

    status, kind, title = 404, "unknown-api-key", "Unknown API key"

    def __init__(self, at: str) -> None:
        super().__init__(f"There is no such API key that is valid. Create or look up keys at {at}.")


class TooManyKeys(Problem):
    """The seller has as many API keys as it may have."""

    status, kind, title = 409, "too-many-api-keys", "Too many API keys"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A seller may have {limit} API keys. Revoke one that is not used any more.")


class PastTime(Problem):
    """A time that must be in the future is in the past."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: the time is in the past. Send a later time, or leave the field out.")


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


class TooManyCosts(Problem):
    """A request has more costs than one request may have."""

    status, kind, title = 422, "too-many-costs", "Too many costs"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A request may have {limit:,} costs. Nothing was saved; split it into several.")


class NotJsonOrCsv(Problem):
    """The body is neither JSON nor CSV."""

    status, kind, title = 415, "not-json-or-csv", "The body is not JSON or CSV"

    def __init__(self) -> None:
        super().__init__(
            "Send JSON or CSV, with the header `Content-Type: application/json` or `text/csv`. Nothing was "
            "changed."
        )
