"""`/admin/find`: looks up an order, a refund, a return, a parcel, a product or a seller by its id."""

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from common.clock import from_millis
from common.request_path import in_path
from serving.kit.clickhouse import Row
from serving.kit.domain import opened
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.stores import Stores
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.translation import N_

KINDS: Mapping[str, str] = {
    "order": N_("Order"),
    "refund": N_("Refund"),
    "return": N_("Return"),
    "parcel": N_("Parcel"),
    "product": N_("Product"),
    "seller": N_("Seller"),
}

router = admin_router()


@router.get("/find")
async def find(request: Request, q: Search = "") -> Response:
    """Return what has an id, with a link to the page that shows it. What belongs to an order leads to it."""
    clickhouse = opened(request, Stores).clickhouse
    asked, problem, found = q.strip(), None, list[Row]()
    if asked:
        try:
            found = await clickhouse.rows("things_with_id", id=asked)
        except ClickHouseUnavailable as unavailable:
            problem = unavailable
    things = [{**row, "address": address_of(row), "at": from_millis(int(row["at_ms"]))} for row in found]
    return admin_page(request, "find.html", "find", problem, q=asked, things=things, kinds=KINDS)


def address_of(thing: Mapping[str, str]) -> str:
    """Return the page that shows a row of the query `things_with_id`."""
    match thing["kind"]:
        case "product":
            return f"/shop/products/{in_path(thing['id'])}"
        case "seller":
            return f"/admin/sellers/{in_path(thing['id'])}"
        case _:
            return f"/shop/orders/{in_path(thing['order_id'])}"
