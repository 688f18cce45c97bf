"""`/v1/settings`: the platform's settings and feature flags, and their history without erased authors."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, Field
from starlette.responses import Response
from typing_extensions import TypedDict

from common.access_policy import allow
from common.configuration.definitions import DEFINITIONS
from common.configuration.setting import Kind, Setting
from common.guarded_route import policy
from common.ids import PRINTABLE
from common.openapi import openapi_problem
from producers.kit.erasures import erasure_router
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute
from producers.kit.http.strict_request import StrictRequest
from producers.services.configuration import changes, store
from producers.services.configuration.model import Change, Value, Version, default_version
from producers.services.configuration.problems import UNKNOWN_SETTING

NAME = "configuration"
MAX_REASON_CHARS = 500
MAX_VERSION = 2**63 - 1


def _is_printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be one line of text")
    return text.strip()


Name = Annotated[str, Field(min_length=1, max_length=100)]
VersionNumber = Annotated[int, Field(ge=0, le=MAX_VERSION)]
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARS), AfterValidator(_is_printable)]


class ChangeRequest(StrictRequest):
    """A new value. With `version`, it is refused if the setting has another version meanwhile."""

    value: Value
    reason: Reason
    version: VersionNumber | None = None


class RollbackRequest(StrictRequest):
    """The version whose value is restored; 0 restores the default."""

    version: VersionNumber
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingResponse(Version):
    """A setting and its present value. `expected` says which values it takes."""

    name: str
    type: Kind
    default: Value
    description: str
    unit: str
    expected: str


class HistoryResponse(TypedDict):
    """Versions of a setting, the newest first. `next_before` continues with older ones; null at the end."""

    name: str
    versions: list[Version]
    next_before: int | None


PAGE_VERSIONS = 50

READERS = allow("admin", "platform", traffic="read")
WRITERS = allow("admin", "platform", traffic="write")

NOT_FOUND = openapi_problem(404, "There is no such setting, or it has no such version.")
EXAMPLE_CHANGE = {"value": "We are back at noon.", "reason": "A new database server."}

SettingName = Annotated[
    str,
    Path(min_length=1, max_length=100, pattern=PRINTABLE, description="The setting's name.",
         examples=["maintenance_banner"]),
]  # fmt: skip

public = APIRouter(prefix="/v1/settings", tags=["settings"], route_class=PublicRoute)


@public.get("", summary="All settings", response_model=list[SettingResponse])
@policy(READERS)
async def settings(request: Request) -> Response:
    """Return the settings and feature flags of the platform: their values, who set them, and why."""
    async with transactions(request, NAME).connection() as sql:
        current = await store.find_current(sql)
    return json_response(
        [
            present_setting(setting, current.get(name) or default_version(setting))
            for name, setting in DEFINITIONS.items()
        ]
    )


@public.get(
    "/{name}/history",
    summary="The history of a setting",
    response_model=HistoryResponse,
    responses=NOT_FOUND,
)
@policy(READERS)
async def setting_history(
    request: Request,
    name: SettingName,
    before: Annotated[
        int | None, Query(ge=1, le=MAX_VERSION, description="`next_before` of the previous page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE_VERSIONS,
) -> Response:
    """Return the versions of a setting, the newest first."""
    setting = find_setting(name)
    async with transactions(request, NAME).connection() as sql:
        versions = await store.find_history(sql, setting.name, before, limit)
    history: HistoryResponse = {
        "name": name,
        "versions": versions,
        "next_before": versions[-1].version if versions and versions[-1].version > 1 else None,
    }
    return json_response(history)


@public.put(
    "/{name}",
    summary="Change a setting",
    response_model=SettingResponse,
    responses=NOT_FOUND | openapi_problem(409, "The setting has another version than the request names."),
)
@policy(WRITERS)
async def change_setting(
    request: Request, name: SettingName, body: Annotated[ChangeRequest, JsonBody(EXAMPLE_CHANGE)]
) -> Response:
    """Set a value. Every process of the platform knows it within about a second.

    Boosts, pins, blocks and sponsored products that name nothing in the catalogue are refused.
    """
    setting = find_setting(name)
    author = principal_of(request).subject
    async with transaction(request, NAME, name) as tx:
        change = Change(author, body.reason, body.version)
        version = await changes.change_setting(tx, setting, body.value, change)
    return json_response(present_setting(setting, version))


@public.post(
    "/{name}/rollback",
    summary="Roll a setting back",
    response_model=SettingResponse,
    responses=NOT_FOUND,
)
@policy(WRITERS)
async def roll_back_setting(
    request: Request,
    name: SettingName,
    body: Annotated[RollbackRequest, JsonBody({"version": 0, "reason": "It did not help."})],
) -> Response:
    """Set the value of an earlier version again. Version 0 is the default."""
    setting = find_setting(name)
    author = principal_of(request).subject
    async with transaction(request, NAME, name) as tx:
        version = await changes.roll_back(tx, setting, body.version, Change(author, body.reason))
    return json_response(present_setting(setting, version))


router = APIRouter()
router.include_router(public)
router.include_router(erasure_router(NAME, store.forget_author))


def find_setting(name: str) -> Setting[Any]:
    """Return the definition of a setting.

    Raises:
        UNKNOWN_SETTING: there is none.
    """
    if name not in DEFINITIONS:
        raise UNKNOWN_SETTING(name=name, settings=", ".join(sorted(DEFINITIONS)))
    return DEFINITIONS[name]


def present_setting(setting: Setting[Any], version: Version) -> SettingResponse:
    """Return a setting with its present value."""
    return SettingResponse(
        **asdict(version),
        name=setting.name,
        type=setting.kind,
        default=setting.default,
        description=setting.description,
        unit=setting.unit,
        expected=setting.expected(),
    )
