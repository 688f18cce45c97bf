"""`/admin/sellers`: applications to decide, and a seller's profile with its suspension."""

from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from common.ids import PRINTABLE, Id
from common.problems import Problem
from common.request_path import in_path
from serving.analytics.dashboards import Analytics
from serving.analytics.dependencies import AnalyticsDep
from serving.kit.clickhouse import Row
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.forms import NO_STORE, Form, action, sending
from serving.web.service_calls import ask
from serving.web.translation import gettext

Status = Literal["applied", "approved", "refused"]

MAX_SELLERS = 10
"""The largest number of sellers in a search result."""

router = admin_router()


@router.get("/sellers")
async def applications(
    request: Request,
    service: AnalyticsDep,
    status: Status = "applied",
    after: Annotated[str | None, Query(max_length=40, pattern=PRINTABLE)] = None,
    q: Search = "",
) -> Response:
    """Return the applications of a status, and with a search, the sellers that match it."""
    found = await _search(service, q) if q else None
    return await _applications_page(request, status=status, after=after, q=q, found=found)


async def _applications_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    status: Status = "applied",
    after: str | None = None,
    q: str = "",
    found: list[Row] | None = None,
) -> Response:
    query = {"status": status, "after": after}
    page = await ask(request, "GET", "/v1/seller_applications", query=query)
    return admin_page(
        request,
        "sellers.html",
        "sellers",
        problem,
        entered,
        chosen=status,
        applications=page["applications"],
        next_after=page["next_after"],
        q=q,
        found=found,
    )


async def _search(service: Analytics, q: str) -> list[Row]:
    """Return the sellers that match a search; none while ClickHouse is unavailable."""
    try:
        found = await service.rankings.find_sellers(q, MAX_SELLERS)
    except Problem:
        return []
    return [dict(seller) for seller in found["sellers"]]


@router.get("/sellers/find")
async def find_seller(seller_id: Id) -> Response:
    """Redirect to the page of a seller whose exact id was entered."""
    return RedirectResponse(f"/admin/sellers/{in_path(seller_id)}", 303, NO_STORE)


@router.post("/sellers/applications/{application_id}/approval")
async def approve_application(request: Request, application_id: Id) -> Response:
    """Approve an application, with the agreed commission if one was entered."""

    async def approve(form: Form) -> None:
        body = {"commission_bp": form.basis_points("rate", gettext("The commission"))}
        await ask(request, "POST", "/v1/seller_applications/{application_id}/approval", body)

    return await action(request, approve, _applications_page, "/admin/sellers", "approved")


@router.post("/sellers/applications/{application_id}/refusal")
async def refuse_application(request: Request, application_id: Id) -> Response:
    """Refuse an application with a reason."""
    refuse = sending(request, "POST", "/v1/seller_applications/{application_id}/refusal")
    return await action(request, refuse, _applications_page, "/admin/sellers", "refused")


@router.get("/sellers/{seller_id}")
async def seller(request: Request, seller_id: Id) -> Response:
    """Return a seller's profile, its rates, and the forms that suspend and reinstate it."""
    return await _seller_page(request)


async def _seller_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    profile = await ask(request, "GET", "/v1/sellers/{seller_id}/profile")
    return admin_page(request, "seller.html", "sellers", problem, entered, seller=profile)


@router.post("/sellers/{seller_id}/suspension")
async def suspend_seller(request: Request, seller_id: Id) -> Response:
    """Suspend a seller with a reason."""
    suspend = sending(request, "POST", "/v1/sellers/{seller_id}/suspension")
    return await action(request, suspend, _seller_page, "/admin/sellers/{seller_id}", "seller_suspended")


@router.post("/sellers/{seller_id}/reinstatement")
async def reinstate_seller(request: Request, seller_id: Id) -> Response:
    """End a seller's suspension with a reason."""

    async def reinstate(form: Form) -> None:
        query = {"reason": form.text("reason")}
        await ask(request, "DELETE", "/v1/sellers/{seller_id}/suspension", query=query)

    return await action(request, reinstate, _seller_page, "/admin/sellers/{seller_id}", "seller_reinstated")
