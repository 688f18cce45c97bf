"""`/admin`: what waits for an administrator. A part that does not answer in time is left out."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from fastapi import Request
from starlette.responses import Response

from common.clock import from_millis
from common.problems import Problem
from common.request_path import in_path
from serving.kit.clickhouse import Row
from serving.kit.domain import opened
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.stores import Stores
from serving.ops.dependencies import OpsDomain
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.service_calls import ask
from serving.web.translation import N_

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


KINDS: Mapping[str, str] = {
    "order": N_("Order"),
    "refund": N_("Refund"),
    "return": N_("Return"),
    "parcel": N_("Parcel"),
    "product": N_("Product"),
    "seller": N_("Seller"),
}


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
