"""`/staff_invitation`: where a person accepts or refuses an invitation to the staff of a seller."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import PRINTABLE
from serving.commerce.commerce_client import CommerceClient, CommerceResponse
from serving.commerce.routes import CommerceDep
from serving.web.account.page import ACCOUNT, CHANGE, change, go_to, page, read_form, refusal, typed
from serving.web.policy import page_router

PATH = "/staff_invitation"

router = page_router(ACCOUNT)

Token = Annotated[str, Query(max_length=512, pattern=PRINTABLE)]


@router.get(PATH)
async def invitation_page(request: Request, commerce: CommerceDep, token: Token = "") -> Response:
    """Return who invites the signed-in person to which role, and the forms to accept and to refuse."""
    return await _page(request, commerce, token)


@router.post(PATH)
@policy(CHANGE)
async def accept_invitation(request: Request, commerce: CommerceDep) -> Response:
    """Join the staff. The browser then gets an access token with the new role, because the old one ends."""
    token = typed(await read_form(request), "token")
    answer = await change(commerce, request, "POST", "/v1/staff_invitations/acceptances", {"token": token})
    if answer.is_success:
        return go_to("/session/refresh", next="/account?done=staff-joined")
    return await _page(request, commerce, token, answer)


@router.post(f"{PATH}/refusal")
@policy(CHANGE)
async def refuse_invitation(request: Request, commerce: CommerceDep) -> Response:
    """Refuse the invitation."""
    token = typed(await read_form(request), "token")
    answer = await change(commerce, request, "POST", "/v1/staff_invitations/refusals", {"token": token})
    if answer.is_success:
        return go_to("/account", done="invitation-refused")
    return await _page(request, commerce, token, answer)


async def _page(
    request: Request, commerce: CommerceClient, token: str, refused: CommerceResponse | None = None
) -> Response:
    """Return the page; `refused` is the answer to a form that the service did not accept."""
    if not token:
        return page(request, "staff_invitation.html", invitation=None, token="", other_person=False)
    found = await change(commerce, request, "POST", "/v1/staff_invitations/lookups", {"token": token})
    problem = refused or (None if found.is_success else found)
    invitation = None
    if found.is_success:
        invitation = {**found.content, "expires_at": datetime.fromisoformat(found.content["expires_at"])}
    return page(
        request,
        "staff_invitation.html",
        problem.status if problem else 200,
        invitation=invitation,
        token=token,
        other_person=found.status == 403,
        next=f"{PATH}?{urlencode({'token': token})}",
        error=refusal(problem.content) if problem else None,
    )
