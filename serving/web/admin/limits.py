"""`/admin/limits`: which address serves what, circuit breakers, rate limits, and refused requests."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from common.problems import Problem
from serving.kit.domain import opened
from serving.ops.dependencies import OpsDomain
from serving.web.admin.page import admin_page, admin_router
from serving.web.service_calls import ask

PREFIXES = ("rate_limit_", "breaker_", "shedding_")
"""The beginnings of the names of the settings that the page shows."""

router = admin_router()


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
