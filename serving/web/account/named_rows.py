"""Prepares the sellers and orders of a person for a list: with their names, if these can be looked up."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from common.errors import PartUnavailable
from common.problems import Problem
from serving.kit.names import Names

NAMES_TIMEOUT_S = 1.0
"""After this time, a list shows ids instead of names."""

log = structlog.get_logger()


async def named_sellers(seller_ids: Sequence[str], names: Names) -> list[dict[str, str | None]]:
    """Return `seller_id` and `name` of these sellers; the name is None if it is unknown."""
    found: Mapping[str, str | None] = {}
    if seller_ids:
        try:
            found = await asyncio.wait_for(names.of_sellers(seller_ids), NAMES_TIMEOUT_S)
        except (Problem, PartUnavailable, TimeoutError) as error:
            log.warning("sellers are shown without names", reason=str(error))
    return [{"seller_id": seller_id, "name": found.get(seller_id)} for seller_id in seller_ids]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in a list. `first` has `product_id`, `name` and `category` of its first product."""

    order_id: str
    status: str
    placed_at: datetime
    amount_minor: int
    currency: str
    first: Mapping[str, str | None]
    lines: int
    units: int


async def order_rows(orders: Sequence[Mapping[str, Any]], names: Names) -> list[OrderRow]:
    """Return the rows of a page of `GET /v1/orders`."""
    of_products = await _names([order["lines"][0]["product_id"] for order in orders if order["lines"]], names)
    return [_row(order, of_products) for order in orders if order["lines"]]


def _row(order: Mapping[str, Any], names: Mapping[str, Any]) -> OrderRow:
    product_id = order["lines"][0]["product_id"]
    named = names.get(product_id)
    return OrderRow(
        order_id=order["order_id"],
        status=order["status"],
        placed_at=datetime.fromisoformat(order["placed_at"]),
        amount_minor=order["amount_minor"],
        currency=order["currency"],
        first={
            "product_id": product_id,
            "name": named.name if named else None,
            "category": named.category if named else None,
        },
        lines=len(order["lines"]),
        units=sum(line["quantity"] for line in order["lines"]),
    )


async def _names(product_ids: Sequence[str], names: Names) -> Mapping[str, Any]:
    try:
        return await asyncio.wait_for(names.of_products(sorted(set(product_ids))), NAMES_TIMEOUT_S)
    except (Problem, PartUnavailable, TimeoutError) as error:
        log.warning("orders are listed without names", reason=str(error))
        return {}
