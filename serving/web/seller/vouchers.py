"""`/sell/{seller_id}/vouchers`: the vouchers of a seller, who pays for them."""

from fastapi import Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Id
from common.problems import Problem
from serving.web import vouchers
from serving.web.forms import Form, action, form_page
from serving.web.policy import SETTINGS_READERS, SETTINGS_WRITERS, page_router
from serving.web.seller.choices import handed_on
from serving.web.service_calls import ask

HERE = "/sell/{seller_id}/vouchers"
VOUCHERS = "/v1/sellers/{seller_id}/vouchers"

router = page_router(SETTINGS_WRITERS, HERE)


@router.get("")
@policy(SETTINGS_READERS)
async def vouchers_page(request: Request, seller_id: Id, cursor: str | None = None) -> Response:
    """Return the vouchers of a seller, the newest first, and the form of a new one."""
    return await _page(request, cursor=cursor)


@router.post("")
async def create_voucher(request: Request, seller_id: Id) -> Response:
    """Create a voucher."""

    async def create(form: Form) -> None:
        await vouchers.create(request, form, VOUCHERS)

    return await action(request, create, _page, HERE, "voucher_created")


@router.post("/{voucher_id}/end")
async def end_voucher(request: Request, seller_id: Id, voucher_id: Id) -> Response:
    """End a voucher."""
    return await action(request, vouchers.ending(request, VOUCHERS), _page, HERE, "voucher_ended")


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    cursor: str | None = None,
) -> Response:
    return form_page(
        request,
        "seller/vouchers.html",
        vouchers.MESSAGES,
        problem,
        entered,
        seller=await ask(request, "GET", "/v1/sellers/{seller_id}/profile"),
        tabs=handed_on(request),
        **await vouchers.listed(request, VOUCHERS, cursor),
    )
