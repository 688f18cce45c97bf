"""`/sell/{seller_id}/settings`: the profile, the staff, the API keys and the commission of a seller."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi import Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Id
from common.principal import StaffRole
from common.problems import Problem
from serving.analytics import dependencies
from serving.gateway.cookies import DEMO, SIGNED_IN
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.problems import CommerceUnavailable
from serving.web.forms import BadField, Form, action, form_page, send, sending
from serving.web.policy import SETTINGS_READERS, SETTINGS_WRITERS, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import handed_on
from serving.web.service_calls import Refusal, ask
from serving.web.translation import N_, gettext

ROLES: Mapping[StaffRole, str] = {
    "owner": N_("Owner: everything, owners too"),
    "manager": N_("Manager: everything except owners"),
    "analyst": N_("Analyst: sees sales"),
    "fulfilment": N_("Fulfilment: orders and stock"),
}

SCOPES: Mapping[str, str] = {
    "analytics:read": N_("See sales"),
    "orders:read": N_("See orders"),
    "stock:write": N_("Set the stock"),
    "listings:read": N_("See the listings"),
    "listings:write": N_("List products and change listings"),
    "profile:read": N_("See the profile"),
    "profile:write": N_("Change the profile"),
    "staff:read": N_("See the staff"),
    "commission:read": N_("See the commission"),
    "costs:read": N_("See the costs of products"),
    "costs:write": N_("Set the costs of products"),
    "vouchers:read": N_("See the vouchers"),
    "vouchers:write": N_("Create and end vouchers"),
}
"""What a key with a scope may do, in words. A scope that is missing here is shown as it is."""

MESSAGES: Mapping[str, str] = {
    "profile_changed": N_("The profile is saved."),
    "staff_invited": N_("The invitation is on its way. The person belongs to the staff once they accept it."),
    "invitation_withdrawn": N_("The invitation is withdrawn. Its link does not work any more."),
    "staff_changed": N_("The role has changed. It applies from the person's next request on."),
    "staff_removed": N_("The person does not belong to the staff any more."),
    "key_revoked": N_("The key is revoked. Requests with it are refused."),
}

HERE = "/sell/{seller_id}/settings"

PROFILE = "/v1/sellers/{seller_id}/profile"
INVITATIONS = "/v1/sellers/{seller_id}/staff_invitations"
MEMBER = "/v1/sellers/{seller_id}/staff/{user_id}"
KEYS = "/v1/sellers/{seller_id}/api_keys"

router = page_router(SETTINGS_WRITERS, HERE)


@router.get("")
@policy(SETTINGS_READERS)
async def settings(request: Request, seller_id: Id) -> Response:
    """Return the settings of a seller."""
    return await _page(request)


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    new_key: Mapping[str, Any] | None = None,
) -> Response:
    profile, staff, keys, commission = await asyncio.gather(
        ask(request, "GET", PROFILE),
        ask(request, "GET", "/v1/sellers/{seller_id}/staff"),
        ask(request, "GET", KEYS),
        ask(request, "GET", "/v1/sellers/{seller_id}/commission"),
    )
    own_id, people = await _named_people(request, [person["user_id"] for person in staff["staff"]])
    return form_page(
        request,
        "seller/settings.html",
        MESSAGES,
        problem,
        entered,
        routes={"profile": ("PATCH", PROFILE), "invite": ("POST", INVITATIONS), "key": ("POST", KEYS)},
        seller=profile,
        tabs=handed_on(request),
        staff=staff["staff"],
        invitations=staff["invitations"],
        keys=keys["api_keys"],
        scopes={scope: SCOPES.get(scope, scope) for scope in keys["scopes"]},
        commission=commission,
        roles=ROLES,
        new_key=new_key,
        own_id=own_id,
        people=people,
        is_demo=request.cookies.get(SIGNED_IN) == DEMO,
        now=dependencies.now(request),
    )


async def _named_people(
    request: Request, user_ids: Sequence[str]
) -> tuple[str | None, defaultdict[str, str | None]]:
    """Return the sender's own id, and the names of the people whose names the sender may see, by their id.

    Everybody sees their own name, and administrators see everybody's.
    """
    principal = identity_of(request).principal
    own_id = principal.subject if principal else None
    is_admin = principal is not None and "admin" in principal.roles
    named: defaultdict[str, str | None] = defaultdict(lambda: None)

    async def name(user_id: str) -> None:
        path = "/v1/me" if user_id == own_id else "/v1/people/{user_id}"
        try:
            person = await ask(request, "GET", path, user_id=user_id)
        except (Refusal, CommerceUnavailable):
            return
        named[user_id] = " · ".join(filter(None, (person.get("name"), person.get("email")))) or None

    await asyncio.gather(*(name(each) for each in user_ids if is_admin or each == own_id))
    return own_id, named


@router.post("/profile")
async def change_profile(request: Request, seller_id: Id) -> Response:
    """Save the fields of the profile. An empty field removes what was there, except the name."""

    async def change(form: Form) -> None:
        await send(request, form, "PATCH", PROFILE, name=form.text("name"))

    return await action(request, change, _page, f"{HERE}#profile", "profile_changed")


@router.post("/invitations")
async def invite_to_staff(request: Request, seller_id: Id) -> Response:
    """Invite the person with an e-mail address to the staff."""
    return await _change(request, "POST", INVITATIONS, "#staff", "staff_invited")


@router.post("/invitations/{invitation_id}/withdrawal")
async def withdraw_invitation(request: Request, seller_id: Id, invitation_id: Id) -> Response:
    """Withdraw an open invitation."""
    path = f"{INVITATIONS}/{{invitation_id}}"
    return await _change(request, "DELETE", path, "#staff", "invitation_withdrawn")


@router.post("/staff/{user_id}/role")
async def change_staff(request: Request, seller_id: Id, user_id: Id) -> Response:
    """Give a person of the staff another role."""
    return await _change(request, "PUT", MEMBER, "#staff", "staff_changed")


@router.post("/staff/{user_id}/removal")
async def remove_staff(request: Request, seller_id: Id, user_id: Id) -> Response:
    """Remove a person from the staff."""
    return await _change(request, "DELETE", MEMBER, "#staff", "staff_removed")


@router.post("/keys")
async def create_key(request: Request, seller_id: Id) -> Response:
    """Create an API key. This response shows it; no other does, so this one is not a redirect."""
    zone = opened(request, PageRenderer).formatter.zone

    async def create(form: Form) -> Response:
        last_day = form.midnight("last_day", gettext("The last day"), zone)
        scopes = list(form.all("scope"))
        if not scopes:
            raise BadField(gettext("The key may do nothing. Tick at least one thing that it may do."))
        expires_at = None if last_day is None else (last_day + timedelta(days=1)).isoformat()
        created = await send(request, form, "POST", KEYS, scopes=scopes, expires_at=expires_at)
        response = await _page(request, new_key=created)
        response.status_code = 201
        return response

    return await action(request, create, _page, HERE, "")


@router.post("/keys/{key_id}/revocation")
async def revoke_key(request: Request, seller_id: Id, key_id: Id) -> Response:
    """Revoke an API key."""
    return await _change(request, "DELETE", f"{KEYS}/{{key_id}}", "#keys", "key_revoked")


async def _change(request: Request, method: str, path: str, section: str, done: str) -> Response:
    return await action(request, sending(request, method, path), _page, HERE + section, done)
