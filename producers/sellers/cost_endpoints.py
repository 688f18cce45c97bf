"""`/v1/sellers/{seller_id}/costs`: what a seller pays for its products, as JSON and as CSV."""

from asyncio import to_thread
from io import BytesIO

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from common.content_type import has_json_content_type, media_type
from common.guarded_route import guarded
from common.ids import Id
from producers.http.endpoint import json_response, settings_of, transaction, transactions
from producers.http.problems import BadBody
from producers.sellers import store
from producers.sellers.cost_files import read_costs, write_costs
from producers.sellers.costs import (
    MAX_DATES,
    MAX_ROWS,
    Cost,
    NumberedCosts,
    check_costs,
    check_products,
    start_of,
)
from producers.sellers.policy import POLICIES
from producers.sellers.presenters import present_costs
from producers.sellers.problems import BadCosts, NotJsonOrCsv, RowError, TooManyCosts, UnknownSeller
from producers.sellers.schemas import COSTS_REQUEST, NAME, PAGE, CostsResponse, CostsSavedResponse
from producers.tables.files import UnknownEncoding, encoding_of

router = APIRouter(prefix="/v1/sellers/{seller_id}", tags=[NAME], route_class=guarded(POLICIES))

CSV = "text/csv"
EVERY_PRODUCT = 1_000_000
FROM_THE_FIRST = ""


@router.get("/costs", response_model=CostsResponse)
async def show_costs(request: Request, seller_id: Id, after: Id | None = None) -> Response:
    """A page of the products of a seller, by id, with their costs."""
    currency = settings_of(request, NAME).shop_currency
    async with transactions(request, NAME).connection() as sql:
        products = await store.find_costs(sql, seller_id, after or FROM_THE_FIRST, PAGE, currency)
    next_after = products[-1].product_id if len(products) == PAGE else None
    return json_response(present_costs(products, currency, next_after))


@router.get("/costs.csv")
async def download_costs(request: Request, seller_id: Id) -> Response:
    """All products of a seller with their costs as CSV, to be filled in and sent back."""
    currency = settings_of(request, NAME).shop_currency
    async with transactions(request, NAME).connection() as sql:
        products = await store.find_costs(sql, seller_id, FROM_THE_FIRST, EVERY_PRODUCT, currency)
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="costs.csv"'}
    return Response(write_costs(products, currency), headers=headers, media_type=CSV)


@router.put("/costs", response_model=CostsSavedResponse)
async def set_costs(request: Request, seller_id: Id) -> Response:
    """Set costs of a seller's products, all of them or none. Other costs stay as they are."""
    settings = settings_of(request, NAME)
    costs = await _read(request, settings.shop_currency)
    check_costs(costs, settings.shop_currency)
    async with transaction(request, NAME, seller_id) as tx:
        if await store.lock_seller(tx, seller_id) is None:
            raise UnknownSeller(seller_id)
        given = list(costs.values())
        check_products(costs, unlisted=await store.find_unlisted(tx, seller_id, given))
        saved = await store.save_costs(tx, seller_id, given, settings.shop_currency)
        overfull = await store.find_overfull_products(tx, seller_id, given, MAX_DATES)
        check_products(costs, overfull=overfull)
        for cost in saved:
            tx.emit(
                "product_cost_set",
                product_id=cost.product_id,
                seller_id=seller_id,
                currency=settings.shop_currency,
                unit_cost_minor=cost.unit_cost_minor or 0,
                removed=cost.unit_cost_minor is None,
                valid_from=start_of(cost.valid_from, settings.timezone),
                version=cost.version,
            )
    return json_response({"seller_id": seller_id, "received": len(costs), "changed": len(saved)})


async def _read(request: Request, currency: str) -> NumberedCosts:
    """Return the costs of a body.

    Raises:
        NotJsonOrCsv: the body has another type.
        BadBody: it is not a JSON list.
        BadCosts, TooManyCosts: rows can't be used, or there are too many.
    """
    body = await request.body()
    if media_type(request.headers) == CSV:
        return await to_thread(read_costs, _decoded(body), currency)
    if not has_json_content_type(request.headers):
        raise NotJsonOrCsv
    try:
        rows = COSTS_REQUEST.validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from error
    if len(rows) > MAX_ROWS:
        raise TooManyCosts(MAX_ROWS)
    return {
        number: Cost(row.product_id, row.valid_from, row.unit_cost_minor, row.currency)
        for number, row in enumerate(rows, start=1)
    }


def _decoded(body: bytes) -> str:
    """Return the text of a file as spreadsheets save it: in UTF-8, UTF-16 or one of Windows' code pages."""
    try:
        return body.decode(encoding_of(BytesIO(body)))
    except (UnknownEncoding, UnicodeDecodeError) as error:
        raise BadCosts([RowError(1, "the encoding is unknown: save the file as CSV in UTF-8")]) from error


def _refusal(error: ValidationError) -> BadCosts | BadBody:
    """Return the problem of a JSON body: with the number of each row that is not valid."""
    rows = [
        RowError(int(index) + 1, f"{'.'.join(str(part) for part in field) or 'the row'}: {each['msg']}")
        for each in error.errors(include_url=False, include_input=False)
        for index, *field in [each["loc"] or ("",)]
        if isinstance(index, int)
    ]
    return BadCosts(rows) if rows else BadBody(error)
