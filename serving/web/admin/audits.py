"""`/admin/audits`: what audits of the stores found, and their first differences."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from common.ids import Id
from common.problems import Problem
from serving.kit.domain import opened
from serving.kit.problems import ClickHouseUnavailable
from serving.ops.dependencies import OpsDomain
from serving.web.admin.page import admin_page, admin_router
from serving.web.translation import N_

ON_PAGE = 30
"""The number of audits on a page: about a month."""

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "running": (N_("Running"), "go"),
    "agree": (N_("Everything agrees"), "good"),
    "differ": (N_("Differences"), "bad"),
    "incomplete": (N_("A store could not be read"), "wait"),
    "nothing": (N_("Nothing to compare"), "wait"),
    "failed": (N_("Failed"), "bad"),
    "stopped": (N_("Stopped"), "wait"),
    "interrupted": (N_("Interrupted"), "wait"),
}
"""Outcome → its text, and the tone of its label."""

TRIGGERS: Mapping[str, str] = {"scheduled": N_("Every night"), "requested": N_("Requested")}

VERDICTS: Mapping[str, tuple[str, str]] = {
    "agree": (N_("Agrees"), "good"),
    "differ": (N_("Differs"), "bad"),
    "nothing to compare": (N_("Nothing to compare"), ""),
    "not compared": (N_("Not compared"), "wait"),
}

router = admin_router()


@router.get("/audits")
async def audits(request: Request, cursor: Annotated[str | None, Query(max_length=400)] = None) -> Response:
    """Return a page of audits, the newest first."""
    try:
        page: Mapping[str, Any] = await opened(request, OpsDomain).audits.page(cursor, ON_PAGE)
    except ClickHouseUnavailable as problem:
        return _list(request, {"audits": [], "next_cursor": None}, problem)
    return _list(request, page)


def _list(request: Request, page: Mapping[str, Any], problem: Problem | None = None) -> Response:
    return admin_page(
        request,
        "audits.html",
        "audits",
        problem,
        page=page,
        outcomes=OUTCOMES,
        triggers=TRIGGERS,
        is_first=request.query_params.get("cursor") is None,
        hour=opened(request, OpsDomain).audit_hour,
    )


@router.get("/audits/{audit_id}")
async def audit(request: Request, audit_id: Id) -> Response:
    """Return an audit with the result of each comparison and the first differences."""
    return admin_page(
        request,
        "audit.html",
        "audits",
        audit=await opened(request, OpsDomain).audits.details(audit_id),
        outcomes=OUTCOMES,
        triggers=TRIGGERS,
        verdicts=VERDICTS,
    )
