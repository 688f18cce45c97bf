"""`/admin/listings`: the listings of all sellers, and blocks of those that may not be sold."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from common.ids import MAX_ID_LENGTH, PRINTABLE, Id
from common.problems import Problem
from producers.services.products.endpoints import Cursor
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.category_names import category_names
from serving.web.forms import Form, ShowPage, action, sending
from serving.web.seller.listings import BLOCK_REASONS, STATUSES, TONES, StatusParam
from serving.web.service_calls import ask

PAGE = "/admin/listings"
BLOCK = "/v1/admin/listings/{product_id}/{seller_id}/block"

SellerParam = Annotated[str, Query(max_length=MAX_ID_LENGTH, pattern=PRINTABLE)]

router = admin_router()


@router.get("/listings")
async def listings(
    request: Request,
    status: StatusParam = "",
    seller_id: SellerParam = "",
    q: Search = "",
    cursor: Cursor = None,
) -> Response:
    """Return the listings that match a search, the last changed first."""
    filters = {"status": status, "seller_id": seller_id, "q": q}
    return await _page(request, filters=filters, cursor=cursor)


@router.post("/listings/{product_id}/{seller_id}/block")
async def block_listing(request: Request, product_id: Id, seller_id: Id) -> Response:
    """Take a listing off for good, with a reason."""
    return await action(
        request, sending(request, "PUT", BLOCK), _page_of(product_id), PAGE, "listing_blocked"
    )


@router.post("/listings/{product_id}/{seller_id}/unblock")
async def unblock_listing(request: Request, product_id: Id, seller_id: Id) -> Response:
    """Let a seller list the product again."""
    unblock = sending(request, "DELETE", BLOCK)
    return await action(request, unblock, _page_of(product_id), PAGE, "listing_unblocked")


def _page_of(product_id: str) -> ShowPage:
    return partial(_page, filters={"q": product_id})


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    filters: Mapping[str, str] | None = None,
    cursor: str | None = None,
) -> Response:
    chosen = {name: value for name, value in (filters or {}).items() if value}
    page = await ask(request, "GET", "/v1/admin/listings", query={**chosen, "cursor": cursor})
    return admin_page(
        request,
        "listings.html",
        "listings",
        problem,
        entered,
        listings=page["listings"],
        next_cursor=page["next_cursor"],
        cursor=cursor,
        chosen=chosen,
        names=await category_names(request),
        statuses=STATUSES,
        tones=TONES,
        reasons=BLOCK_REASONS,
    )
