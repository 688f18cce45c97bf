"""`/v1/sellers/{seller_id}/costs`: what a seller pays for its products, as JSON and as CSV."""

from asyncio import to_thread
from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from common.access_policy import allow
from common.content_type import has_json_content_type, media_type
from common.guarded_route import policy
from common.ids import Id
from common.openapi import Responses, openapi_problem
from producers.kit.http.endpoint import json_response, settings_of, transaction, transactions
from producers.kit.http.problems import BadBody, require
from producers.kit.http.routes import LIST_LIMIT, JsonBody, PublicRoute, SellerPath
from producers.kit.tables.files import UnknownEncoding, encoding_of
from producers.services.sellers import store
from producers.services.sellers.costs import (
    MAX_DATES,
    MAX_ROWS,
    Cost,
    NumberedCosts,
    check_costs,
    check_products,
    find_costs,
    find_overfull_products,
    find_unlisted,
    read_costs,
    save_costs,
    start_of,
    write_costs,
)
from producers.services.sellers.model import SELLER, STAFF_MANAGERS
from producers.services.sellers.problems import (
    NOT_JSON_OR_CSV,
    TOO_MANY_COSTS,
    UNKNOWN_SELLER,
    BadCosts,
    RowError,
)
from producers.services.sellers.schemas import NAME, PAGE, CostRequest, CostsResponse, CostsSavedResponse

CSV = "text/csv"
EVERY_PRODUCT = 1_000_000
FROM_THE_FIRST = ""

READERS = allow(
    "seller",
    "admin",
    traffic="read",
    staff=(*STAFF_MANAGERS, "analyst"),
    seller_parameter=SELLER,
    scope="costs:read",
)
WRITERS = allow(
    "seller",
    "admin",
    traffic="write",
    staff=STAFF_MANAGERS,
    seller_parameter=SELLER,
    scope="costs:write",
)

EXAMPLE_COSTS = [
    {"product_id": "product-000001", "unit_cost_minor": 1290, "currency": "BRL", "valid_from": "2026-11-01"}
]
EXAMPLE_CSV = "product_id,unit_cost,currency,valid_from\nproduct-000001,12.90,BRL,2026-11-01\n"
CSV_FILE: Responses = {200: {"description": "All products of the seller.", "content": {CSV: {}}}}
WRONG_TYPE = openapi_problem(415, "The `Content-Type` is neither `application/json` nor `text/csv`.")

router = APIRouter(prefix="/v1/sellers/{seller_id}", tags=["selling"], route_class=PublicRoute)


async def _read_costs(request: Request, rows: TypeAdapter[Any]) -> NumberedCosts:
    """Return the costs of a body: of a JSON list, or of the CSV that `costs_csv` returns.

    Raises:
        NOT_JSON_OR_CSV: the body has another type.
        BadBody: it is not a JSON list.
        BadCosts, TOO_MANY_COSTS: rows can't be used, or there are too many.
    """
    body = await request.body()
    if media_type(request.headers) == CSV:
        return await to_thread(read_costs, _decoded(body), settings_of(request, NAME).shop_currency)
    if not has_json_content_type(request.headers):
        raise NOT_JSON_OR_CSV()
    try:
        found = rows.validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from error
    if len(found) > MAX_ROWS:
        raise TOO_MANY_COSTS(limit=MAX_ROWS)
    return {number: Cost(**row.model_dump()) for number, row in enumerate(found, start=1)}


@router.get("/costs", summary="What a seller's products cost", response_model=CostsResponse)
@policy(READERS)
async def costs(
    request: Request,
    seller_id: SellerPath,
    after: Annotated[Id | None, Query(description="`next_after` of the previous page.")] = None,
) -> Response:
    """Return products of the seller by id, each with what a unit costs from which day on."""
    currency = settings_of(request, NAME).shop_currency
    async with transactions(request, NAME).connection() as sql:
        products = await find_costs(sql, seller_id, after or FROM_THE_FIRST, PAGE, currency)
    next_after = products[-1].product_id if len(products) == PAGE else None
    return json_response({"currency": currency, "products": products, "next_after": next_after})


@router.get(
    "/costs.csv",
    summary="What a seller's products cost, as CSV",
    response_class=Response,
    responses=CSV_FILE,
)
@policy(READERS)
async def costs_csv(request: Request, seller_id: SellerPath) -> Response:
    """Return a file with all products of the seller and their costs. Fill it in and send it back with PUT."""
    currency = settings_of(request, NAME).shop_currency
    async with transactions(request, NAME).connection() as sql:
        products = await find_costs(sql, seller_id, FROM_THE_FIRST, EVERY_PRODUCT, currency)
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="costs.csv"'}
    return Response(write_costs(products, currency), headers=headers, media_type=CSV)


@router.put(
    "/costs",
    summary="Set what a seller's products cost",
    response_model=CostsSavedResponse,
    responses=WRONG_TYPE,
)
@policy(WRITERS)
async def set_costs(
    request: Request,
    seller_id: SellerPath,
    costs: Annotated[
        NumberedCosts,
        JsonBody(
            EXAMPLE_COSTS,
            limit=LIST_LIMIT,
            read=_read_costs,
            model=list[CostRequest],
            other={CSV: {"schema": {"type": "string"}, "example": EXAMPLE_CSV}},
        ),
    ],
) -> Response:
    """Set what a unit of a product costs from a day of the shop on, for up to 5,000 products and days.

    Send a JSON list, or the CSV of `GET /v1/sellers/{seller_id}/costs.csv`. If one row is refused, none is
    saved. Costs that the request does not name stay as they are; a row without a cost removes the one of its
    day. A cost that is valid from a day in the past changes the profit of that time.
    """
    settings = settings_of(request, NAME)
    check_costs(costs, settings.shop_currency)
    async with transaction(request, NAME, seller_id) as tx:
        require(await store.lock_seller(tx, seller_id), UNKNOWN_SELLER(seller_id=seller_id))
        given = list(costs.values())
        check_products(costs, unlisted=await find_unlisted(tx, seller_id, given))
        saved = await save_costs(tx, seller_id, given, settings.shop_currency)
        check_products(costs, overfull=await find_overfull_products(tx, seller_id, given, MAX_DATES))
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
