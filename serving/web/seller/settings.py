"""`/sell/{seller_id}/settings`: the profile, the staff, the API keys and the commission of a seller."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args

from fastapi import Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Id
from common.principal import StaffRole
from common.problems import Problem
from common.request_path import in_path
from serving.analytics.dependencies import AnalyticsDomain
from serving.gateway.cookies import DEMO, SIGNED_IN
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.problems import CommerceUnavailable
from serving.web.forms import BadField, Form, country_code, form_page, read_form, submit
from serving.web.policy import SETTINGS_READERS, SETTINGS_WRITERS, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import handed_on
from serving.web.service_calls import Refusal, ask
from serving.web.translation import N_, gettext

PROFILE_FIELDS = (
    "name", "description", "contact_email", "phone", "zip_prefix", "city", "state", "country",
)  # fmt: skip

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
    "profile:read": N_("See the profile"),
    "profile:write": N_("Change the profile"),
    "staff:read": N_("See the staff"),
    "commission:read": N_("See the commission"),
    "costs:read": N_("See the costs of products"),
    "costs:write": N_("Set the costs of products"),
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

router = page_router(SETTINGS_WRITERS, "/sell/{seller_id}/settings")


@router.get("")
@policy(SETTINGS_READERS)
async def settings(request: Request, seller_id: Id) -> Response:
    """Return the settings of a seller."""
    return await _page(request, seller_id)


async def _page(
    request: Request,
    seller_id: str,
    problem: Problem | None = None,
    entered: Form | None = None,
    new_key: Mapping[str, Any] | None = None,
) -> Response:
    profile, staff, keys, commission = await asyncio.gather(
        ask(request, "GET", "/v1/sellers/{seller_id}/profile", seller_id=seller_id),
        ask(request, "GET", "/v1/sellers/{seller_id}/staff", seller_id=seller_id),
        ask(request, "GET", "/v1/sellers/{seller_id}/api_keys", seller_id=seller_id),
        ask(request, "GET", "/v1/sellers/{seller_id}/commission", seller_id=seller_id),
    )
    own_id, people = await _named_people(request, [person["user_id"] for person in staff["staff"]])
    return form_page(
        request,
        "seller/settings.html",
        MESSAGES,
        problem,
        entered,
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
        now=opened(request, AnalyticsDomain).services.context.clock(),
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
    form = await read_form(request)

    async def change() -> None:
        body: dict[str, str | None] = {name: form.optional(name) for name in PROFILE_FIELDS}
        body["name"] = form.text("name")
        body["country"] = country_code(form.text("country")) or None
        await ask(request, "PATCH", "/v1/sellers/{seller_id}/profile", body, seller_id=seller_id)

    return await _submit(request, seller_id, form, change, "profile_changed", "profile")


@router.post("/invitations")
async def invite_to_staff(request: Request, seller_id: Id) -> Response:
    """Invite the person with an e-mail address to the staff."""
    form = await read_form(request)

    async def invite() -> None:
        body = {"email": form.text("email"), "role": _role(form)}
        await ask(request, "POST", "/v1/sellers/{seller_id}/staff_invitations", body, seller_id=seller_id)

    return await _submit(request, seller_id, form, invite, "staff_invited", "staff")


@router.post("/invitations/{invitation_id}/withdrawal")
async def withdraw_invitation(request: Request, seller_id: Id, invitation_id: Id) -> Response:
    """Withdraw an open invitation."""
    form = await read_form(request)

    async def withdraw() -> None:
        path = "/v1/sellers/{seller_id}/staff_invitations/{invitation_id}"
        await ask(request, "DELETE", path, seller_id=seller_id, invitation_id=invitation_id)

    return await _submit(request, seller_id, form, withdraw, "invitation_withdrawn", "staff")


@router.post("/staff/{user_id}/role")
async def change_staff(request: Request, seller_id: Id, user_id: Id) -> Response:
    """Give a person of the staff another role."""
    form = await read_form(request)

    async def change() -> None:
        path, body = "/v1/sellers/{seller_id}/staff/{user_id}", {"role": _role(form)}
        await ask(request, "PUT", path, body, seller_id=seller_id, user_id=user_id)

    return await _submit(request, seller_id, form, change, "staff_changed", "staff")


@router.post("/staff/{user_id}/removal")
async def remove_staff(request: Request, seller_id: Id, user_id: Id) -> Response:
    """Remove a person from the staff."""
    form = await read_form(request)

    async def remove() -> None:
        path = "/v1/sellers/{seller_id}/staff/{user_id}"
        await ask(request, "DELETE", path, seller_id=seller_id, user_id=user_id)

    return await _submit(request, seller_id, form, remove, "staff_removed", "staff")


@router.post("/keys")
async def create_key(request: Request, seller_id: Id) -> Response:
    """Create an API key. This response shows it; no other does, so this one is not a redirect."""
    form = await read_form(request)
    pages = opened(request, PageRenderer)
    try:
        last_day = form.midnight("last_day", gettext("The last day"), pages.formatter.zone)
        body = {
            "name": form.text("name"),
            "scopes": list(form.all("scope")),
            "expires_at": None if last_day is None else (last_day + timedelta(days=1)).isoformat(),
        }
        if not body["scopes"]:
            raise BadField(gettext("The key may do nothing. Tick at least one thing that it may do."))
        created = await ask(request, "POST", "/v1/sellers/{seller_id}/api_keys", body, seller_id=seller_id)
    except (BadField, Refusal) as problem:
        return await _page(request, seller_id, problem, form)
    response = await _page(request, seller_id, new_key=created)
    response.status_code = 201
    return response


@router.post("/keys/{key_id}/revocation")
async def revoke_key(request: Request, seller_id: Id, key_id: Id) -> Response:
    """Revoke an API key."""
    form = await read_form(request)

    async def revoke() -> None:
        path = "/v1/sellers/{seller_id}/api_keys/{key_id}"
        await ask(request, "DELETE", path, seller_id=seller_id, key_id=key_id)

    return await _submit(request, seller_id, form, revoke, "key_revoked", "keys")


def _role(form: Form) -> str:
    if form.text("role") not in get_args(StaffRole):
        raise BadField(gettext("Choose one of the roles."))
    return form.text("role")


async def _submit(
    request: Request,
    seller_id: str,
    form: Form,
    change: Callable[[], Awaitable[None]],
    done: str,
    section: str,
) -> Response:
    async def page(problem: Problem) -> Response:
        return await _page(request, seller_id, problem, form)

    response = await submit(change, page, f"/sell/{in_path(seller_id)}/settings", done)
    if "location" in response.headers:
        response.headers["location"] += f"#{section}"
    return response
