"""`/v1/settings`: the platform's settings and feature flags, and their history without erased authors."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.configuration.definitions import DEFINITIONS
from common.configuration.setting import Setting
from common.guarded_route import guarded
from producers.configuration import store
from producers.configuration.changes import change_setting, roll_back
from producers.configuration.model import Change, Version, default_version
from producers.configuration.policy import POLICIES
from producers.configuration.problems import UnknownSetting
from producers.configuration.schemas import (
    CHANGE_REQUEST,
    MAX_VERSION,
    ROLLBACK_REQUEST,
    HistoryResponse,
    SettingResponse,
    VersionResponse,
)
from producers.erasures import ERASURE, Erasure
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of

NAME = "configuration"
PAGE_VERSIONS = 50

router = APIRouter(prefix="/v1", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/settings", response_model=list[SettingResponse])
async def show_all(request: Request) -> Response:
    """All settings with their values, who set them, and why."""
    async with transactions(request, NAME).connection() as sql:
        current = await store.find_current(sql)
    return json_response(
        [
            present_setting(setting, current.get(name) or default_version(setting))
            for name, setting in DEFINITIONS.items()
        ]
    )


@router.get("/settings/{name}/history", response_model=HistoryResponse)
async def show_history(
    request: Request,
    name: str,
    before: Annotated[int | None, Query(ge=1, le=MAX_VERSION)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE_VERSIONS,
) -> Response:
    """The versions of a setting, the newest first; `before` continues with those older than a version."""
    setting = find_setting(name)
    async with transactions(request, NAME).connection() as sql:
        versions = await store.find_history(sql, setting.name, before, limit)
    history: HistoryResponse = {
        "name": name,
        "versions": [present_version(version) for version in versions],
        "next_before": versions[-1].number if versions and versions[-1].number > 1 else None,
    }
    return json_response(history)


@router.put("/settings/{name}", response_model=SettingResponse)
async def change(request: Request, name: str) -> Response:
    """Set a value. Every process of the platform knows it within about a second."""
    setting = find_setting(name)
    body = await parse_body(request, CHANGE_REQUEST)
    author = principal_of(request).subject
    async with transaction(request, NAME, name) as tx:
        version = await change_setting(tx, setting, body.value, Change(author, body.reason, body.version))
    return json_response(present_setting(setting, version))


@router.post("/settings/{name}/rollback", response_model=SettingResponse)
async def rollback(request: Request, name: str) -> Response:
    """Set the value of an earlier version again; version 0 is the default."""
    setting = find_setting(name)
    body = await parse_body(request, ROLLBACK_REQUEST)
    author = principal_of(request).subject
    async with transaction(request, NAME, name) as tx:
        version = await roll_back(tx, setting, body.version, Change(author, body.reason))
    return json_response(present_setting(setting, version))


@router.post("/erasures/configuration", status_code=204)
async def forget_person(request: Request) -> Response:
    """Remove a person who was erased from the history of the settings."""
    erasure: Erasure = await parse_body(request, ERASURE)
    async with transaction(request, NAME, "") as tx:
        await store.forget_author(tx, str(erasure.user_id))
    return Response(status_code=204)


def find_setting(name: str) -> Setting[Any]:
    """Return the definition of a setting.

    Raises:
        UnknownSetting: there is none.
    """
    setting = DEFINITIONS.get(name)
    if setting is None:
        raise UnknownSetting(name)
    return setting


def present_setting(setting: Setting[Any], version: Version) -> SettingResponse:
    """Return the API's response for a setting."""
    return {
        "name": setting.name,
        "type": setting.kind,
        "default": setting.default,
        "description": setting.description,
        "unit": setting.unit,
        "expected": setting.expected(),
        **present_version(version),
    }


def present_version(version: Version) -> VersionResponse:
    """Return the API's response for a version."""
    return {
        "version": version.number,
        "value": version.value,
        "author": version.author,
        "reason": version.reason,
        "changed_at": version.changed_at,
        "rolled_back_to": version.rolled_back_to,
    }
