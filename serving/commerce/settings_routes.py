"""The routes under `/v1/settings`: settings and feature flags, their history, changes and roll-backs."""

from contextlib import suppress
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE
from producers.configuration import schemas
from serving.commerce.forwarding import (
    BODY,
    BODY_LIMIT,
    UNAVAILABLE,
    UNUSABLE,
    CommerceDep,
    CommerceDomain,
)
from serving.commerce.policy import SETTINGS
from serving.gateway.described_routes import guarded
from serving.kit.domain import opened
from serving.kit.openapi import json_request_body, openapi_problem
from serving.kit.request_body import read_body

UNKNOWN_SETTING = openapi_problem(404, "There is no such setting, or it has no such version.")
CHANGED_MEANWHILE = openapi_problem(409, "The setting has another version than the request names.")

router = APIRouter(route_class=guarded(SETTINGS, takes_key=True), prefix="/v1/settings", tags=["settings"])

SettingName = Annotated[
    str,
    Path(min_length=1, max_length=100, pattern=PRINTABLE, description="The setting's name.",
         examples=["maintenance_banner"]),
]  # fmt: skip


@router.get("", summary="All settings", response_model=list[schemas.SettingResponse], responses=UNAVAILABLE)
async def settings(request: Request, commerce: CommerceDep) -> Response:
    """Return the settings and feature flags of the platform: their values, who set them, and why."""
    return await commerce.forward(request)


@router.get(
    "/{name}/history",
    summary="The history of a setting",
    response_model=schemas.HistoryResponse,
    responses=UNAVAILABLE | UNUSABLE | UNKNOWN_SETTING,
)
async def setting_history(
    request: Request,
    commerce: CommerceDep,
    name: SettingName,
    before: Annotated[
        int | None,
        Query(ge=1, le=schemas.MAX_VERSION, description="`next_before` of the previous page."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Return the versions of a setting, the newest first."""
    return await commerce.forward(request)


@router.put(
    "/{name}",
    summary="Change a setting",
    response_model=schemas.SettingResponse,
    responses=UNAVAILABLE | BODY | UNKNOWN_SETTING | CHANGED_MEANWHILE,
    openapi_extra=json_request_body(
        schemas.ChangeRequest, {"value": "We are back at noon.", "reason": "A new database server."}
    ),
)
async def change_setting(request: Request, commerce: CommerceDep, name: SettingName) -> Response:
    """Set a value. Every process of the platform knows it within about a second.

    Boosts, pins, blocks and sponsored products that name nothing in the catalogue are refused.
    """
    body = await read_body(request, BODY_LIMIT)
    await opened(request, CommerceDomain).check_setting(name, _value(body))
    return await commerce.forward(request, body=body)


@router.post(
    "/{name}/rollback",
    summary="Roll a setting back",
    response_model=schemas.SettingResponse,
    responses=UNAVAILABLE | BODY | UNKNOWN_SETTING,
    openapi_extra=json_request_body(schemas.RollbackRequest, {"version": 0, "reason": "It did not help."}),
)
async def roll_back_setting(request: Request, commerce: CommerceDep, name: SettingName) -> Response:
    """Set the value of an earlier version again. Version 0 is the default."""
    return await commerce.forward(request, BODY_LIMIT)


def _value(body: bytes) -> object:
    """Return the value that a body sets; None if the body can't be read, which the service will say."""
    with suppress(ValueError):
        content = orjson.loads(body)
        return content.get("value") if isinstance(content, dict) else None
    return None
