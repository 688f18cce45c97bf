"""`/v1/vouchers` and those of a seller: creating a voucher, listing one's own, ending one."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Id, Uuid, new_id
from common.openapi import openapi_problem
from common.principal import StaffRole
from producers.kit.http.endpoint import require_json, settings_of, transaction, transactions
from producers.kit.http.pages import Cursor, Limit, Position, cut_page
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute
from producers.services.orders import voucher_store
from producers.services.orders.vouchers import (
    CODE_TAKEN,
    MAX_AUTOMATIC,
    TOO_MANY_AUTOMATIC,
    UNKNOWN_VOUCHER,
    ListedVoucher,
    Voucher,
    VoucherRequest,
    Vouchers,
)

NAME = "orders"

EXAMPLE_VOUCHER = {"name": "Summer", "code": "SUMMER-10", "kind": "percentage", "percent_bp": 1000}
REFUSED = openapi_problem(409, "The code is taken, or there are too many vouchers without one.")
NO_VOUCHER = openapi_problem(404, "This owner has no such voucher.")

SellerPath = Annotated[Id, Path(description="The seller's id.", examples=["seller-0001"])]
VoucherPath = Annotated[Uuid, Path(description="The voucher's id.")]

STAFF: tuple[StaffRole, ...] = ("owner", "manager")
READ_OF_SELLER = allow(
    "seller",
    "admin",
    "platform",
    traffic="read",
    staff=STAFF,
    seller_parameter="seller_id",
    scope="vouchers:read",
)
CHANGE_OF_SELLER = allow(
    "seller",
    "admin",
    "platform",
    traffic="write",
    staff=STAFF,
    seller_parameter="seller_id",
    scope="vouchers:write",
)
READ = allow("admin", "platform", traffic="read")
CHANGE = allow("admin", "platform", traffic="write")

router = APIRouter(prefix="/v1", tags=["vouchers"], route_class=PublicRoute)


@router.get("/sellers/{seller_id}/vouchers", summary="A seller's vouchers")
@policy(READ_OF_SELLER)
async def vouchers_of_seller(
    request: Request, seller_id: SellerPath, cursor: Cursor = None, limit: Limit = 50
) -> Vouchers:
    """Return the vouchers of a seller, also those that have ended, the newest first."""
    return await _list(request, seller_id, cursor, limit)


@router.post("/sellers/{seller_id}/vouchers", summary="Create a voucher", status_code=201, responses=REFUSED)
@policy(CHANGE_OF_SELLER)
async def create_voucher_of_seller(
    request: Request, seller_id: SellerPath, body: Annotated[VoucherRequest, JsonBody(EXAMPLE_VOUCHER)]
) -> ListedVoucher:
    """Create a voucher of a seller, who pays for it. It lowers only lines of this seller.

    A voucher for a category or a product lowers each of these lines, or each unit by its amount. Of several,
    the one that lowers a line most counts. A voucher for neither lowers the sum; of several, the best counts.
    """
    return await _create(request, seller_id, body)


@router.post("/sellers/{seller_id}/vouchers/{voucher_id}/end", summary="End a voucher", responses=NO_VOUCHER)
@policy(CHANGE_OF_SELLER)
async def end_voucher_of_seller(
    request: Request,
    seller_id: SellerPath,
    voucher_id: VoucherPath,
    _ignored: Annotated[dict[str, Any], JsonBody({}, read=require_json)],
) -> ListedVoucher:
    """End a voucher of a seller. Orders that were placed with it keep it. Send `{}`."""
    return await _end(request, seller_id, voucher_id)


@router.get("/vouchers", summary="The marketplace's vouchers")
@policy(READ)
async def vouchers(request: Request, cursor: Cursor = None, limit: Limit = 50) -> Vouchers:
    """Return the vouchers of the marketplace, also those that have ended, the newest first."""
    return await _list(request, None, cursor, limit)


@router.post("/vouchers", summary="Create a voucher of the marketplace", status_code=201, responses=REFUSED)
@policy(CHANGE)
async def create_voucher(
    request: Request, body: Annotated[VoucherRequest, JsonBody(EXAMPLE_VOUCHER)]
) -> ListedVoucher:
    """Create a voucher of the marketplace. It lowers what shoppers pay, and not what sellers get."""
    return await _create(request, None, body)


@router.post("/vouchers/{voucher_id}/end", summary="End a voucher of the marketplace", responses=NO_VOUCHER)
@policy(CHANGE)
async def end_voucher(
    request: Request,
    voucher_id: VoucherPath,
    _ignored: Annotated[dict[str, Any], JsonBody({}, read=require_json)],
) -> ListedVoucher:
    """End a voucher of the marketplace. Orders that were placed with it keep it. Send `{}`."""
    return await _end(request, None, voucher_id)


async def _list(request: Request, seller_id: str | None, cursor: str | None, limit: int) -> Vouchers:
    opened = transactions(request, NAME)
    async with opened.connection() as sql:
        rows = await voucher_store.find_of_owner(sql, seller_id, Position.of(cursor), limit + 1)
    found, next_cursor = cut_page(rows, limit, lambda each: Position(each.created_at, each.voucher_id))
    now = opened.clock()
    return {"vouchers": [_listed(each, now) for each in found], "next_cursor": next_cursor}


async def _create(request: Request, seller_id: str | None, asked: VoucherRequest) -> ListedVoucher:
    currency = settings_of(request, NAME).shop_currency
    async with transaction(request, NAME, seller_id or "marketplace") as tx:
        if asked.code is None and await voucher_store.count_automatic(tx, seller_id) >= MAX_AUTOMATIC:
            raise TOO_MANY_AUTOMATIC(limit=MAX_AUTOMATIC)
        created = await voucher_store.insert(tx, new_id(), seller_id, currency, asked)
        return _listed(require(created, CODE_TAKEN(code=asked.code)), tx.now)


async def _end(request: Request, seller_id: str | None, voucher_id: str) -> ListedVoucher:
    async with transaction(request, NAME, voucher_id) as tx:
        ended = await voucher_store.end(tx, voucher_id, seller_id)
        return _listed(require(ended, UNKNOWN_VOUCHER(voucher_id=voucher_id)), tx.now)


def _listed(voucher: Voucher, now: datetime) -> ListedVoucher:
    return ListedVoucher(**asdict(voucher), state=voucher.state_at(now))
