"""`/admin/settings`: the settings and feature flags of the platform, and the history of each."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import Query, Request
from starlette.responses import Response

from common.ids import Id
from common.problems import Problem
from serving.commerce.routes import CommerceDomain
from serving.kit.domain import opened
from serving.ops.dependencies import OpsDomain
from serving.web.admin.page import admin_page, admin_router
from serving.web.forms import BadField, Form, action, send, sending
from serving.web.service_calls import Refusal, ask
from serving.web.translation import N_, gettext

KINDS: Mapping[str, str] = {
    "boolean": N_("Switches"),
    "rollout": N_("Roll-outs"),
    "number": N_("Numbers"),
    "text": N_("Texts"),
    "list": N_("Lists"),
}
"""Type of a setting → the heading of its group."""

router = admin_router()


@router.get("/settings")
async def settings(request: Request) -> Response:
    """Return all settings by type."""
    found = await ask(request, "GET", "/v1/settings")
    groups = {
        heading: [setting for setting in found if setting["type"] == kind] for kind, heading in KINDS.items()
    }
    return admin_page(request, "settings.html", "settings", groups=groups)


@router.get("/settings/{name}")
async def setting(
    request: Request, name: Id, before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
) -> Response:
    """Return a setting: the form that changes it, and its versions."""
    return await _setting_page(request, before=before)


async def _setting_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    before: int | None = None,
) -> Response:
    query = {"before": None if before is None else str(before)}
    history = await ask(request, "GET", "/v1/settings/{name}/history", query=query)
    return admin_page(
        request,
        "setting.html",
        "settings",
        problem,
        entered,
        routes={"change": ("PUT", "/v1/settings/{name}")},
        setting=await find_setting(request, request.path_params["name"]),
        versions=history["versions"],
        next_before=history["next_before"],
    )


async def find_setting(request: Request, name: str) -> dict[str, Any]:
    """Return the newest version of a setting, which this process may not know yet.

    Raises:
        Refusal: there is none.
    """
    for found in await ask(request, "GET", "/v1/settings"):
        if found["name"] == name:
            setting: dict[str, Any] = found
            return setting
    raise Refusal(404, {"title": "Unknown setting", "detail": f"There is no setting {name!r}."})


async def save_setting(request: Request, form: Form, name: str, value: Any, version: int) -> None:
    """Set the value of a setting that still has this version, with the reason of a form."""
    body = {"value": value, "reason": form.text("reason"), "version": version}
    await ask(request, "PUT", "/v1/settings/{name}", body, name=name)


@router.post("/settings/{name}")
async def change_setting(request: Request, name: Id) -> Response:
    """Set the value of a setting, unless somebody has changed it since the page was opened."""

    async def change(form: Form) -> None:
        value = read_value(form, (await find_setting(request, name))["type"])
        await opened(request, CommerceDomain).check_setting(name, value)
        version = form.whole("version", gettext("The version"))
        await send(request, form, "PUT", "/v1/settings/{name}", value=value, version=version)

    return await action(request, change, _setting_page, "/admin/settings/{name}", "setting_changed")


@router.post("/settings/{name}/rollback")
async def roll_back_setting(request: Request, name: Id) -> Response:
    """Set the value of an earlier version again."""
    roll_back = sending(request, "POST", "/v1/settings/{name}/rollback")
    return await action(request, roll_back, _setting_page, "/admin/settings/{name}", "setting_rolled_back")


def read_value(form: Form, kind: str) -> bool | int | float | str | list[Any]:
    """Return the value of a setting of this type from a form.

    Raises:
        BadField: the field is not of this type.
    """
    if kind == "text":
        return form.text("value")
    if kind == "list":
        return _read_list(form.text("value"))
    if kind == "boolean":
        if form.text("value") not in ("true", "false"):
            raise BadField(gettext("The value is on or off."))
        return form.text("value") == "true"
    number = form.number("value", gettext("The value"))
    return int(number) if number == int(number) else float(number)


def _read_list(text: str) -> list[Any]:
    try:
        value = orjson.loads(text)
    except ValueError as error:
        raise BadField(gettext('The value must be a list in JSON, such as [4, 10] or ["wine"].')) from error
    if not isinstance(value, list):
        raise BadField(gettext('The value must be a list in JSON, such as [4, 10] or ["wine"].'))
    return value


PREFIXES = ("rate_limit_", "breaker_", "shedding_")
"""The beginnings of the names of the settings that the page shows."""


@router.get("/limits")
async def limits(request: Request) -> Response:
    """Return the state of what protects the platform, and the settings that change it."""
    protection = opened(request, OpsDomain).protection
    return admin_page(
        request, "limits.html", "limits", state=await protection.read(), settings=await _settings(request)
    )


async def _settings(request: Request) -> list[dict[str, Any]] | None:
    """Return the settings of limits, breakers and load shedding; None while they can't be read."""
    try:
        found = await ask(request, "GET", "/v1/settings")
    except Problem:
        return None
    return [setting for setting in found if setting["name"].startswith(PREFIXES)]
