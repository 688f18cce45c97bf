"""Requests and responses of the endpoints of sellers."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, model_validator
from typing_extensions import TypedDict

from common.ids import PRINTABLE, Id
from common.openapi import openapi_problem
from common.principal import StaffRole
from producers.kit.http.strict_request import StrictRequest
from producers.services.sellers.api_keys import ApiScope
from producers.services.sellers.commission import MAX_BOUND_MINOR, MAX_BP, CommissionRuleResponse
from producers.services.sellers.costs import FIRST_DAY, LAST_DAY, MAX_COST_MINOR, ProductCosts
from producers.services.sellers.model import ApplicationStatus, SellerStatus

NAME = "sellers"
"""The name of the service, by which endpoints find it."""

PAGE = 100
"""Entries of one page of a list."""

WRONG_STATUS = openapi_problem(409, "The status of the seller or of the application does not allow this.")

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
Text = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Reason = Annotated[str, Field(min_length=3, max_length=500, pattern=PRINTABLE)]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Rate = Annotated[int, Field(ge=0, le=MAX_BP)]
Bound = Annotated[int, Field(ge=0, le=MAX_BOUND_MINOR)]


class ProfileRequest(StrictRequest):
    """Changes of a seller's profile. A field that is left out keeps its value; the name can't be removed."""

    name: Line = ""
    description: Text | None = None
    contact_email: Email | None = None
    phone: Line | None = None
    zip_prefix: Line | None = None
    city: Line | None = None
    state: Line | None = None
    country: Country | None = None


class ApplicationRequest(StrictRequest):
    """An application to sell. `name` is what shoppers read; the legal name and tax id can't change later."""

    name: Line
    legal_name: Line
    tax_id: Line
    contact_email: Email
    country: Country
    currency: Currency | None = None
    description: Text | None = None
    phone: Line | None = None
    zip_prefix: Line | None = None
    city: Line | None = None
    state: Line | None = None


class ApprovalRequest(StrictRequest):
    """An approval. `commission_bp` agrees on a rate with this seller; without it, the general rules apply."""

    commission_bp: Rate | None = None


class ReasonRequest(StrictRequest):
    """Why an administrator decides something. The seller reads it."""

    reason: Reason


class InvitationRequest(StrictRequest):
    """A person to invite to a seller's staff."""

    email: Email
    role: StaffRole


class RoleRequest(StrictRequest):
    """The new role of a member of the staff."""

    role: StaffRole


class InvitationTokenRequest(StrictRequest):
    """The token in the link of an invitation."""

    token: Annotated[str, Field(min_length=1, max_length=512, pattern=PRINTABLE)]


class KeyRequest(StrictRequest):
    """An API key to create. Without `expires_at` it is valid until it is revoked."""

    name: Line
    scopes: Annotated[list[ApiScope], Field(min_length=1, max_length=20)]
    expires_at: AwareDatetime | None = None


class VerificationRequest(StrictRequest):
    """An API key that a request came with."""

    key: Annotated[str, Field(max_length=200)]


class RuleRequest(StrictRequest):
    """A commission rule of a seller, of a category or, without both, the default."""

    seller_id: Id | None = None
    category: Line | None = None
    rate_bp: Rate
    minimum_minor: Bound | None = None
    maximum_minor: Bound | None = None
    currency: Currency | None = None
    valid_from: AwareDatetime | None = None
    reason: Reason

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.seller_id is not None and self.category is not None:
            raise ValueError("a rule is for a seller or for a category, not for both")
        bounds = [each for each in (self.minimum_minor, self.maximum_minor) if each is not None]
        if (self.currency is None) != (not bounds):
            raise ValueError("send `currency` if, and only if, the rule has a minimum or a maximum")
        if bounds != sorted(bounds):
            raise ValueError("the minimum is above the maximum")
        return self


class CostRequest(StrictRequest):
    """What a seller pays for a unit of a product from a day of the shop on, in the shop's currency.

    `unit_cost_minor` null removes the cost that was set for that day.
    """

    product_id: Id
    unit_cost_minor: Annotated[int, Field(ge=0, le=MAX_COST_MINOR)] | None
    currency: Currency
    valid_from: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


class ApplicationResponse(TypedDict):
    """An application with what the applicant wrote."""

    application_id: str
    seller_id: str
    applicant_id: str | None
    status: ApplicationStatus
    seller_status: SellerStatus
    submitted_at: datetime
    decided_at: datetime | None
    reason: str | None
    name: str
    legal_name: str
    tax_id: str
    contact_email: str | None
    country: str | None
    currency: str | None
    description: str | None
    phone: str | None
    zip_prefix: str | None
    city: str | None
    state: str | None


class ApplicationsResponse(TypedDict):
    """A page of applications, oldest first. `next_after` is the `after` of the next page."""

    applications: list[ApplicationResponse]
    next_after: str | None


class SellerStatusResponse(TypedDict):
    """The status of a seller after a change."""

    seller_id: str
    status: SellerStatus


class SuspensionsResponse(TypedDict):
    """The sellers that may not sell now."""

    seller_ids: list[str]


@dataclass(frozen=True, slots=True)
class ProfileResponse:
    """What is known of a seller. `source` says whether the seller applied here or came by an event."""

    seller_id: str
    status: SellerStatus
    source: str
    name: str | None
    description: str | None
    legal_name: str | None
    tax_id: str | None
    contact_email: str | None
    phone: str | None
    zip_prefix: str | None
    city: str | None
    state: str | None
    country: str | None
    currency: str | None
    created_at: datetime
    registered_at: datetime | None
    suspension_reason: str | None


class StaffResponse(TypedDict):
    """A member of a seller's staff. `email_hint` shows a part of the address by which they were added,
    or of the application if that made them an owner.
    """

    user_id: str
    role: StaffRole
    email_hint: str | None
    added_at: datetime
    added_by: str | None


class OpenInvitationResponse(TypedDict):
    """An invitation that is open until it expires. Nothing in it says whether the address has an account."""

    invitation_id: str
    email: str
    role: StaffRole
    expires_at: datetime


class StaffListResponse(TypedDict):
    """The staff of a seller, and its open invitations."""

    staff: list[StaffResponse]
    invitations: list[OpenInvitationResponse]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationResponse:
    """An invitation as the invited person sees it."""

    seller_id: str
    seller_name: str | None
    role: StaffRole
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """The seller for which a person works now, and their role."""

    seller_id: str
    role: StaffRole


class KeyResponse(TypedDict):
    """An API key without its secret; `hint` is its beginning."""

    key_id: str
    name: str
    hint: str
    scopes: list[ApiScope]
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKeyResponse(KeyResponse):
    """A new API key. No later response contains `key`."""

    key: str


class KeysResponse(TypedDict):
    """The API keys of a seller, revoked ones too, and the scopes that a key may have."""

    api_keys: list[KeyResponse]
    scopes: list[ApiScope]


class VerificationResponse(TypedDict):
    """The principal of an API key, as claims of a token."""

    principal: dict[str, Any]
    key_id: str
    expires_at: datetime | None


class CommissionRulesResponse(TypedDict):
    """A page of commission rules, newest first. `next_before` is the `before` of the next page."""

    rules: list[CommissionRuleResponse]
    next_before: int | None


class CostsResponse(TypedDict):
    """Products of a seller by id, with their costs. `next_after` is the `after` of the next page."""

    currency: str
    products: list[ProductCosts]
    next_after: str | None


class CostsSavedResponse(TypedDict):
    """How many costs a request had, and how many of them changed something."""

    seller_id: str
    received: int
    changed: int
