"""What the routes that forward requests to the commerce services share: the client, limits and problems."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from common.ids import Id
from serving.commerce.commerce_client import CommerceClient
from serving.kit.domain import opened
from serving.kit.openapi import NOT_JSON, openapi_problem

BODY_LIMIT = 64 * 1024
"""The largest body in bytes of a request about one thing: an order, a profile, a setting."""

UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

UNAVAILABLE = openapi_problem(
    503, "The commerce services do not answer; the detail says whether a retry is safe."
)
UNUSABLE = openapi_problem(422, "The request can't be used; the detail says what is wrong with it.")
TOO_LARGE = openapi_problem(413, "The body exceeds the limit of this route.")
MISSING = openapi_problem(404, "There is no such thing, or it belongs to somebody else.")
BODY = UNUSABLE | TOO_LARGE | NOT_JSON
"""The problems of a route with a JSON body."""


CheckSetting = Callable[[str, object], Awaitable[None]]
"""Raises a problem if a change of a setting, by its name, would have no effect."""


@dataclass(frozen=True, slots=True)
class CommerceDomain:
    """The open client of the commerce services, and what checks a change of a setting before it is sent."""

    client: CommerceClient
    check_setting: CheckSetting


async def _commerce(request: Request) -> CommerceClient:
    return opened(request, CommerceDomain).client


CommerceDep = Annotated[CommerceClient, Depends(_commerce)]
SellerPath = Annotated[
    Id,
    Path(
        description="The seller's id.",
        examples=["seller-0001"],
    ),
]
