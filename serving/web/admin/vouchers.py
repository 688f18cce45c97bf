"""`/admin/vouchers`: the vouchers of the marketplace, which pays for them."""

from fastapi import Request
from starlette.responses import Response

from common.ids import Id
from common.problems import Problem
from serving.web import vouchers
from serving.web.admin.page import admin_page, admin_router
from serving.web.forms import Form, action

PAGE = "/admin/vouchers"
VOUCHERS = "/v1/vouchers"

router = admin_router()


@router.get("/vouchers")
async def vouchers_page(request: Request, cursor: str | None = None) -> Response:
    """Return the vouchers of the marketplace, the newest first, and the form of a new one."""
    return await _page(request, cursor=cursor)


@router.post("/vouchers")
async def create_voucher(request: Request) -> Response:
    """Create a voucher."""

    async def create(form: Form) -> None:
        await vouchers.create(request, form, VOUCHERS)

    return await action(request, create, _page, PAGE, "voucher_created")


@router.post("/vouchers/{voucher_id}/end")
async def end_voucher(request: Request, voucher_id: Id) -> Response:
    """End a voucher."""
    return await action(request, vouchers.ending(request, VOUCHERS), _page, PAGE, "voucher_ended")


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    cursor: str | None = None,
) -> Response:
    shown = await vouchers.listed(request, VOUCHERS, cursor)
    return admin_page(request, "vouchers.html", "vouchers", problem, entered, **shown)
