"""The routes under `/v1` about who sells: applications, profiles, staff, API keys and commission."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE, Id
from producers.sellers import schemas
from serving.commerce.forwarding import (
    BODY,
    BODY_LIMIT,
    MISSING,
    TOO_LARGE,
    UNAVAILABLE,
    UNUSABLE,
    UUID,
    CommerceDep,
    SellerPath,
)
from serving.commerce.policy import SELLERS
from serving.gateway.described_routes import guarded
from serving.kit.openapi import json_request_body, openapi_problem

EXAMPLE_APPLICATION = {
    "name": "Casa das Lâmpadas",
    "legal_name": "Casa das Lâmpadas Ltda",
    "tax_id": "12.345.678/0001-90",
    "contact_email": "ana@lamps.example",
    "country": "BR",
}
EXAMPLE_REASON = {"reason": "The tax id belongs to another company."}
EXAMPLE_TOKEN = {"token": "3Q2bXw0m5gJvX1oYkKq8cQm2m8nC8m0TzV6f0b7n9aE"}
EXAMPLE_RULE = {"category": "lamps", "rate_bp": 1200, "reason": "Lamps sell themselves."}

EXAMPLE_COSTS = [
    {"product_id": "product-000001", "unit_cost_minor": 1290, "currency": "BRL", "valid_from": "2026-11-01"}
]
EXAMPLE_COSTS_CSV = "product_id,unit_cost,currency,valid_from\nproduct-000001,12.90,BRL,2026-11-01\n"

COSTS_LIMIT = 1024 * 1024
"""The largest list of costs in bytes: thousands of products."""

WRONG_STATUS = openapi_problem(409, "The status of the seller or of the application does not allow this.")
NOT_APPROVABLE = openapi_problem(
    409, "The status does not allow this, or the applicant works for as many sellers as a person may."
)
TOO_MANY_SELLERS = openapi_problem(409, "You work for as many sellers as a person may.")
TOO_MANY_INVITATIONS = openapi_problem(409, "The seller has as many open invitations as it may have.")
TOO_MANY_MAILS = openapi_problem(429, "Too many mails to this address, or too many requests.")
NOT_INVITED = openapi_problem(403, "The invitation is for another e-mail address.")
INVITATION_ENDED = openapi_problem(410, "The invitation was answered, replaced or withdrawn, or has expired.")
LAST_OWNER = openapi_problem(409, "A seller keeps at least one owner.")
NOT_JSON_OR_CSV = openapi_problem(415, "The `Content-Type` is neither `application/json` nor `text/csv`.")
COSTS_BODY = json_request_body(list[schemas.CostRequest], EXAMPLE_COSTS)
COSTS_BODY["requestBody"]["content"]["text/csv"] = {
    "schema": {"type": "string"},
    "example": EXAMPLE_COSTS_CSV,
}
READS = UNAVAILABLE | UNUSABLE
WRITES = UNAVAILABLE | BODY

router = APIRouter(route_class=guarded(SELLERS, takes_key=True), prefix="/v1", tags=["selling"])

ApplicationId = Annotated[str, Path(pattern=UUID, description="The application's id.")]
UserId = Annotated[str, Path(pattern=UUID, description="The id of a person of the staff.")]
InvitationId = Annotated[str, Path(pattern=UUID, description="The id of an open invitation.")]
KeyId = Annotated[str, Path(pattern=UUID, description="The API key's id; not the key itself.")]
ProductIdAfter = Annotated[
    Id | None,
    Query(
        description="`next_after` of the previous page.",
    ),
]
Category = Annotated[str | None, Query(min_length=1, max_length=128, pattern=PRINTABLE)]


@router.post(
    "/seller_applications",
    summary="Apply to sell",
    status_code=201,
    response_model=schemas.ApplicationResponse,
    responses=WRITES | openapi_problem(409, "Your last application is not decided yet."),
    openapi_extra=json_request_body(schemas.ApplicationRequest, EXAMPLE_APPLICATION),
)
async def apply_to_sell(request: Request, commerce: CommerceDep) -> Response:
    """Apply to sell here. An administrator approves the application, or refuses it with a reason."""
    return await commerce.forward(request, BODY_LIMIT)


@router.get(
    "/seller_applications/mine",
    summary="Your applications",
    response_model=schemas.ApplicationsResponse,
    responses=READS,
)
async def my_applications(request: Request, commerce: CommerceDep) -> Response:
    """Return your applications, oldest first, with the reason if one was refused."""
    return await commerce.forward(request)


@router.get(
    "/seller_applications",
    summary="All applications",
    response_model=schemas.ApplicationsResponse,
    responses=READS,
)
async def applications(
    request: Request,
    commerce: CommerceDep,
    status: Literal["applied", "approved", "refused"] | None = None,
    after: Annotated[
        str | None, Query(pattern=UUID, description="`next_after` of the previous page.")
    ] = None,
) -> Response:
    """Return applications, oldest first; with a status, only those of it."""
    return await commerce.forward(request)


@router.post(
    "/seller_applications/{application_id}/approval",
    summary="Approve an application",
    response_model=schemas.ApplicationResponse,
    responses=WRITES | MISSING | NOT_APPROVABLE,
    openapi_extra=json_request_body(schemas.ApprovalRequest, {}),
)
async def approve_application(
    request: Request, commerce: CommerceDep, application_id: ApplicationId
) -> Response:
    """Approve an application. The seller may sell at once, and the applicant becomes its owner."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/seller_applications/{application_id}/refusal",
    summary="Refuse an application",
    response_model=schemas.ApplicationResponse,
    responses=WRITES | MISSING | WRONG_STATUS,
    openapi_extra=json_request_body(schemas.ReasonRequest, EXAMPLE_REASON),
)
async def refuse_application(
    request: Request, commerce: CommerceDep, application_id: ApplicationId
) -> Response:
    """Refuse an application. The applicant reads the reason, and may apply again."""
    return await commerce.forward(request, BODY_LIMIT)


@router.get(
    "/sellers/{seller_id}/profile",
    summary="The profile of a seller",
    response_model=schemas.ProfileResponse,
    responses=READS | MISSING,
)
async def seller_profile(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return a seller's profile and status."""
    return await commerce.forward(request)


@router.patch(
    "/sellers/{seller_id}/profile",
    summary="Change the profile of a seller",
    response_model=schemas.ProfileResponse,
    responses=WRITES | MISSING,
    openapi_extra=json_request_body(schemas.ProfileRequest, {"city": "Campinas", "state": "SP"}),
)
async def change_seller_profile(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Change the fields that the body has. The legal name, the tax id and the currency do not change."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/sellers/{seller_id}/suspension",
    summary="Suspend a seller",
    response_model=schemas.SellerStatusResponse,
    responses=WRITES | MISSING | WRONG_STATUS,
    openapi_extra=json_request_body(schemas.ReasonRequest, {"reason": "Parcels did not arrive."}),
)
async def suspend_seller(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Suspend a seller. Its API keys stop at once, and its staff lose their access to it."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete(
    "/sellers/{seller_id}/suspension",
    summary="End the suspension of a seller",
    response_model=schemas.SellerStatusResponse,
    responses=READS | MISSING | WRONG_STATUS,
)
async def reinstate_seller(
    request: Request,
    commerce: CommerceDep,
    seller_id: SellerPath,
    reason: Annotated[
        str, Query(min_length=3, max_length=500, pattern=PRINTABLE, examples=["The parcels have arrived."])
    ],
) -> Response:
    """End a seller's suspension. Its staff and its API keys have their access again."""
    return await commerce.forward(request)


@router.get(
    "/sellers/{seller_id}/staff",
    summary="The staff of a seller",
    response_model=schemas.StaffListResponse,
    responses=READS,
)
async def staff(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return who works for a seller, in which role, and the invitations that were not answered yet."""
    return await commerce.forward(request)


@router.post(
    "/sellers/{seller_id}/staff_invitations",
    summary="Invite a person to the staff",
    status_code=201,
    response_model=schemas.OpenInvitationResponse,
    responses=WRITES | MISSING | TOO_MANY_INVITATIONS | TOO_MANY_MAILS,
    openapi_extra=json_request_body(
        schemas.InvitationRequest, {"email": "rui@lamps.example", "role": "fulfilment"}
    ),
)
async def invite_to_staff(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Send a mail with which a person joins the staff. Another invitation to the same address replaces it.

    The response is the same whether or not the address has an account.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.delete(
    "/sellers/{seller_id}/staff_invitations/{invitation_id}",
    summary="Withdraw an invitation",
    status_code=204,
    responses=READS | MISSING,
)
async def withdraw_invitation(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, invitation_id: InvitationId
) -> Response:
    """Withdraw an invitation that was not answered yet. Its link ends."""
    return await commerce.forward(request)


@router.post(
    "/staff_invitations/lookups",
    summary="The invitation with a token",
    response_model=schemas.InvitationResponse,
    responses=WRITES | NOT_INVITED | INVITATION_ENDED,
    openapi_extra=json_request_body(schemas.InvitationTokenRequest, EXAMPLE_TOKEN),
)
async def find_invitation(request: Request, commerce: CommerceDep) -> Response:
    """Return which seller invites you, and to which role. The token is that of the mail."""
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/staff_invitations/acceptances",
    summary="Accept an invitation",
    response_model=schemas.MembershipResponse,
    responses=WRITES | NOT_INVITED | INVITATION_ENDED | TOO_MANY_SELLERS,
    openapi_extra=json_request_body(schemas.InvitationTokenRequest, EXAMPLE_TOKEN),
)
async def accept_invitation(request: Request, commerce: CommerceDep) -> Response:
    """Join the staff of a seller, with an account that has the invited address.

    The role applies at once: your access tokens end, and the next refresh gives one with the role.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.post(
    "/staff_invitations/refusals",
    summary="Refuse an invitation",
    status_code=204,
    responses=WRITES | NOT_INVITED | INVITATION_ENDED,
    openapi_extra=json_request_body(schemas.InvitationTokenRequest, EXAMPLE_TOKEN),
)
async def refuse_invitation(request: Request, commerce: CommerceDep) -> Response:
    """Refuse an invitation. Its link ends."""
    return await commerce.forward(request, BODY_LIMIT)


@router.put(
    "/sellers/{seller_id}/staff/{user_id}",
    summary="Change the role of a person",
    response_model=schemas.StaffListResponse,
    responses=WRITES | MISSING | LAST_OWNER,
    openapi_extra=json_request_body(schemas.RoleRequest, {"role": "manager"}),
)
async def change_staff(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, user_id: UserId
) -> Response:
    """Give a person of the staff another role. It applies at once: their access tokens end."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete(
    "/sellers/{seller_id}/staff/{user_id}",
    summary="Remove a person from the staff",
    status_code=204,
    responses=READS | MISSING | LAST_OWNER,
)
async def remove_staff(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, user_id: UserId
) -> Response:
    """Remove a person from the staff. Everybody may leave, except the last owner."""
    return await commerce.forward(request)


@router.get(
    "/sellers/{seller_id}/api_keys",
    summary="The API keys of a seller",
    response_model=schemas.KeysResponse,
    responses=READS,
)
async def api_keys(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return the keys without their secrets, revoked ones too, and the scopes that a key may have."""
    return await commerce.forward(request)


@router.post(
    "/sellers/{seller_id}/api_keys",
    summary="Create an API key",
    status_code=201,
    response_model=schemas.NewKeyResponse,
    responses=WRITES | MISSING | openapi_problem(409, "The seller has as many keys as it may have."),
    openapi_extra=json_request_body(
        schemas.KeyRequest, {"name": "Warehouse", "scopes": ["orders:read", "stock:write"]}
    ),
)
async def create_api_key(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Create a key. `key` is in this response only: store it now."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete(
    "/sellers/{seller_id}/api_keys/{key_id}",
    summary="Revoke an API key",
    status_code=204,
    responses=READS | MISSING,
)
async def revoke_api_key(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, key_id: KeyId
) -> Response:
    """Revoke a key. Requests with it are refused from now on."""
    return await commerce.forward(request)


@router.get(
    "/sellers/{seller_id}/commission",
    summary="The commission of a seller",
    response_model=schemas.CommissionResponse,
    responses=READS,
)
async def commission(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return the rates that apply to a seller's sales now, and those that are announced."""
    return await commerce.forward(request)


@router.get(
    "/sellers/{seller_id}/costs",
    summary="What a seller's products cost",
    response_model=schemas.CostsResponse,
    responses=READS,
)
async def costs(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, after: ProductIdAfter = None
) -> Response:
    """Return products of the seller by id, each with what a unit costs from which day on."""
    return await commerce.forward(request)


@router.get(
    "/sellers/{seller_id}/costs.csv",
    summary="What a seller's products cost, as CSV",
    response_class=Response,
    responses=READS | {200: {"description": "All products of the seller.", "content": {"text/csv": {}}}},
)
async def costs_csv(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return a file with all products of the seller and their costs. Fill it in and send it back with PUT."""
    return await commerce.forward(request)


@router.put(
    "/sellers/{seller_id}/costs",
    summary="Set what a seller's products cost",
    response_model=schemas.CostsSavedResponse,
    responses=UNAVAILABLE | UNUSABLE | TOO_LARGE | NOT_JSON_OR_CSV | MISSING,
    openapi_extra=COSTS_BODY,
)
async def set_costs(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Set what a unit of a product costs from a day of the shop on, for up to 5,000 products and days.

    Send a JSON list, or the CSV of `GET /v1/sellers/{seller_id}/costs.csv`. If one row is refused, none is
    saved. Costs that the request does not name stay as they are; a row without a cost removes the one of its
    day. A cost that is valid from a day in the past changes the profit of that time.
    """
    return await commerce.forward(request, COSTS_LIMIT)


@router.get(
    "/commission_rules",
    summary="All commission rules",
    response_model=schemas.RulesResponse,
    responses=READS,
)
async def commission_rules(
    request: Request,
    commerce: CommerceDep,
    seller_id: Id | None = None,
    category: Category = None,
    before: Annotated[int | None, Query(description="`next_before` of the previous page.")] = None,
) -> Response:
    """Return commission rules, newest first, superseded ones too."""
    return await commerce.forward(request)


@router.post(
    "/commission_rules",
    summary="Add a commission rule",
    status_code=201,
    response_model=schemas.RuleResponse,
    responses=WRITES | MISSING,
    openapi_extra=json_request_body(schemas.RuleRequest, EXAMPLE_RULE),
)
async def add_commission_rule(request: Request, commerce: CommerceDep) -> Response:
    """Add a rule for a seller, for a category or, without both, the default.

    It supersedes the earlier rules of the same seller or category for orders from `valid_from` on. Existing
    order lines keep their rate.
    """
    return await commerce.forward(request, BODY_LIMIT)
