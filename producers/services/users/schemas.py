"""Requests and responses of the endpoints of people."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator
from typing_extensions import TypedDict

from common.ids import PRINTABLE, Id
from common.openapi import openapi_problem
from common.principal import Role, StaffRole
from producers.kit.http.strict_request import StrictRequest
from producers.services.users.mails import MailsOfKind, ServiceMailKind
from producers.services.users.model import ChosenRole, DemoRole

LAST_ADMINISTRATOR = openapi_problem(409, "Nobody else could administer the shop.")

Email = Annotated[str, Field(min_length=3, max_length=320, pattern=PRINTABLE)]
GivenPassword = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Token = Annotated[str, Field(min_length=1, max_length=512, pattern=PRINTABLE)]
Name = Annotated[str, Field(max_length=100, pattern=PRINTABLE)]
PagePath = Annotated[str, Field(max_length=2000, pattern=r"^(/([^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*)?)?$")]
"""A path of this site, not a URL of another one; empty for none."""
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)]


class RegistrationRequest(StrictRequest):
    """Somebody wants an account. `next` is the path of the page to open after the first sign-in."""

    email: Email
    password: GivenPassword
    name: Name = ""
    next: PagePath = ""


class ConfirmationRequest(StrictRequest):
    """The token of a mail, and the password of the person who asked for the mail."""

    token: Token
    password: GivenPassword


class SignInRequest(StrictRequest):
    """Somebody signs in. `device_token` is that of the last sign-in on this device.

    `guest_session` is the id of the browser's session as a guest. Only the gateway may send it, because it
    has verified that the browser owns the session.
    """

    email: Email
    password: GivenPassword
    device_token: Annotated[str, Field(max_length=512)] | None = None
    guest_session: Id | None = None
    device: Annotated[str, Field(max_length=300, pattern=PRINTABLE)] | None = None


class RefreshRequest(StrictRequest):
    """A new access token, please. `browser`: two tabs of a browser may refresh at the same moment."""

    refresh_token: Token
    browser: bool = False


class EmailRequest(StrictRequest):
    """The e-mail address of an account."""

    email: Email


class NewPasswordRequest(StrictRequest):
    """A new password, chosen with the token of a mail."""

    token: Token
    password: GivenPassword


class ProfileRequest(StrictRequest):
    """Changes of a person's profile."""

    name: Name


class PasswordChangeRequest(StrictRequest):
    """A new password, chosen with the current one."""

    password: GivenPassword
    new_password: GivenPassword


class EmailChangeRequest(StrictRequest):
    """A new e-mail address. Nothing changes until it is confirmed."""

    email: Email
    password: GivenPassword


class ErasureRequest(StrictRequest):
    """The person's password, so that nobody else can erase them."""

    password: GivenPassword


class RecommendationMailsRequest(StrictRequest):
    """Whether a person wants a weekly mail with recommendations."""

    wanted: bool


class UnsubscriptionRequest(StrictRequest):
    """The token of a mail with recommendations. No more of them are wanted."""

    token: Token


class AddressRequest(StrictRequest):
    """A postal address."""

    recipient: Line
    street: Line
    city: Line
    state: Line | None = None
    postal_code: Annotated[str, Field(min_length=1, max_length=20, pattern=PRINTABLE)] | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]


class RoleRequest(StrictRequest):
    """The role that a person has from now on. `shopper` removes a further role."""

    role: ChosenRole


class SuspensionRequest(StrictRequest):
    """Why a person is suspended. They read it when they sign in."""

    reason: Reason


class PersonRequest(StrictRequest):
    """A person whom the operator registers."""

    email: Email
    role: ChosenRole = "shopper"
    name: Name = ""


class LookupRequest(StrictRequest):
    """Whose e-mail address is it? With a seller, only somebody who may see its figures is found."""

    email: Email
    seller_id: Id | None = None


class StaffRoleRequest(StrictRequest):
    """The role of a person at a seller; None if they do not work for it any more."""

    role: StaffRole | None


class RelationRequest(StrictRequest):
    """A seller, and the moment from which on its staff counts, also who left it since."""

    seller_id: Id
    since: Annotated[AwareDatetime, Field(strict=False)]


class RelationResponse(TypedDict):
    """Whether a person is close to a seller. Nothing says why, or to whom of its staff."""

    is_related: bool


class MailRequest(StrictRequest):
    """A mail of another service: to an address, or to a person as long as they may see a seller's figures.

    A mail is sent once, however often it is requested with the same `mail_id`.
    """

    mail_id: Annotated[UUID, Field(strict=False)]
    kind: ServiceMailKind
    subject: Annotated[str, Field(max_length=1_000)]
    text: Annotated[str, Field(max_length=200_000)]
    to: Email | None = None
    user_id: Annotated[UUID, Field(strict=False)] | None = None
    seller_id: Id | None = None

    @model_validator(mode="after")
    def _has_one_recipient(self) -> Self:
        if (self.to is None) == (self.user_id is None) or (self.user_id is None) != (self.seller_id is None):
            raise ValueError("give either `to`, or `user_id` and `seller_id`")
        return self


class DemoSessionRequest(StrictRequest):
    """A session of the demo: as a shopper of the simulator, as the owner of a seller, or in another role."""

    role: DemoRole
    shopper_id: Id | None = None
    seller_id: Id | None = None
    device: Annotated[str, Field(max_length=300, pattern=PRINTABLE)] | None = None


class MessageResponse(TypedDict):
    """What happens next."""

    message: str


class VerifiedResponse(TypedDict):
    """The address that was verified, for the form of the sign-in."""

    email: str


class PasswordSetResponse(TypedDict):
    """The password was set. With the device token, this device may sign in at once."""

    device_token: str


class UserResponse(TypedDict):
    """A person who is signed in."""

    user_id: str
    name: str
    email: str
    roles: list[Role]
    shopper_id: str
    sellers: dict[str, StaffRole]


class TokensResponse(TypedDict):
    """The tokens of a session. A tab that refreshed a moment after another one gets no refresh token."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: NotRequired[str]
    session_id: str
    device_token: NotRequired[str]
    user: UserResponse


class RecommendationMailsResponse(TypedDict):
    """Whether a person gets a weekly mail with recommendations, and since when they have agreed to it."""

    wanted: bool
    agreed_at: datetime | None


class RightsResponse(TypedDict):
    """What a person may do now, as claims of a token. What they made up to `since` has ended."""

    principal: dict[str, Any]
    since: datetime | None


class RegisteredResponse(TypedDict):
    """A person whom the operator registered; `reset_link` is None if they have a password."""

    user_id: str
    email: str
    role: ChosenRole
    reset_link: str | None


class AuthStateResponse(TypedDict):
    """The public keys, and the access tokens that end before their time."""

    keys: list[dict[str, Any]]
    revocations: list[dict[str, Any]]
    position: int


class DemoResponse(TypedDict):
    """Whether a demo session can be opened."""

    available: bool


class MailsSummaryResponse(TypedDict):
    """What the mailbox got within a day, and how many weekly mails are more than an hour late."""

    kinds: list[MailsOfKind]
    overdue: int


class FoundPersonResponse(TypedDict):
    """The account of an e-mail address."""

    user_id: str


class MailOutcomeResponse(TypedDict):
    """What happened to a mail.

    `limited`: too many of its kind went to the address within an hour. `left`: the person may not see the
    seller's figures any more.
    """

    outcome: Literal["sent", "limited", "left"]
