"""`/admin`: what waits for an administrator. A part that does not answer in time is left out."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from fastapi import Request
from starlette.responses import Response

from common.problems import Problem
from serving.kit.domain import opened
from serving.ops.dependencies import OpsDomain
from serving.web.admin.page import admin_page, admin_router
from serving.web.service_calls import ask

TIMEOUT_S = 5.0
"""How long the page waits for each of its parts."""

T = TypeVar("T")

router = admin_router()


@router.get("")
async def overview(request: Request) -> Response:
    """Return numbers of each section, each with a link to it."""
    ops = opened(request, OpsDomain)
    waiting = {"status": "applied"}
    applications, settings, topics, state = await asyncio.gather(
        _if_available(ask(request, "GET", "/v1/seller_applications", query=waiting)),
        _if_available(ask(request, "GET", "/v1/settings")),
        _if_available(ops.dead_letters.summaries()),
        _if_available(ops.protection.read()),
    )
    return admin_page(
        request,
        "overview.html",
        "",
        waiting=None if applications is None else _count(applications),
        changed=None if settings is None else sum(each["value"] != each["default"] for each in settings),
        letters=None if topics is None else sum(topic.letters for topic in topics),
        state=state,
        troubles=[each for each in state["servers"] if not each["healthy"]] if state else [],
        open_breakers=[each for each in state["breakers"] if each["state"] != "closed"] if state else [],
    )


def _count(page: dict[str, Any]) -> str:
    return f"{len(page['applications'])}{'+' if page['next_after'] else ''}"


async def _if_available(part: Awaitable[T]) -> T | None:
    """Return a part of the page; None if it is unavailable or does not answer in time."""
    try:
        return await asyncio.wait_for(part, TIMEOUT_S)
    except (Problem, TimeoutError):
        return None
