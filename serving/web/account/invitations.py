"""`/staff_invitation`: where a person accepts or refuses an invitation to the staff of a seller."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import PRINTABLE
from common.problems import Problem
from serving.kit.problems import CommerceUnavailable
from serving.web.account.page import ACCOUNT, CHANGE, UNAVAILABLE, account_action, go_to, page
from serving.web.forms import Form, send, sending
from serving.web.policy import page_router
from serving.web.service_calls import Refusal, ask

PATH = "/staff_invitation"

router = page_router(ACCOUNT)


@router.get(PATH)
async def invitation_page(
    request: Request, token: Annotated[str, Query(max_length=512, pattern=PRINTABLE)] = ""
) -> Response:
    """Return who invites the signed-in person to which role, and the forms to accept and to refuse."""
    return await _page(request, token=token)


@router.post(PATH)
@policy(CHANGE)
async def accept_invitation(request: Request) -> Response:
    """Join the staff. The browser then gets an access token with the new role, because the old one ends."""

    async def accept(form: Form) -> Response:
        await send(request, form, "POST", "/v1/staff_invitations/acceptances")
        return go_to("/session/refresh", next="/account?done=staff-joined")

    return await account_action(request, accept, _page)


@router.post(f"{PATH}/refusal")
@policy(CHANGE)
async def refuse_invitation(request: Request) -> Response:
    """Refuse the invitation."""
    refuse = sending(request, "POST", "/v1/staff_invitations/refusals")
    return await account_action(request, refuse, _page, "/account", "invitation-refused")


async def _page(
    request: Request, refused: Problem | None = None, entered: Form | None = None, token: str = ""
) -> Response:
    """Return the page; `refused` is the answer to a form that the service did not accept."""
    token, invitation, problem = (entered.text("token") if entered else token), None, None
    if not token:
        return page(request, "staff_invitation.html", invitation=None, token="", other_person=False)
    try:
        found = await ask(request, "POST", "/v1/staff_invitations/lookups", {"token": token})
        invitation = {**found, "expires_at": datetime.fromisoformat(found["expires_at"])}
    except CommerceUnavailable:
        problem = Refusal(503, {"detail": UNAVAILABLE})
    except Refusal as refusal:
        problem = refusal
    return page(
        request,
        "staff_invitation.html",
        refused or problem,
        invitation=invitation,
        token=token,
        other_person=problem is not None and problem.status == 403,
        next=f"{PATH}?{urlencode({'token': token})}",
    )
