"""`/sell/{seller_id}/restock`: what sells out soon, each with a quantity, and the units that have arrived."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import Request
from starlette.responses import Response

from common.guarded_route import policy
from common.problems import Problem
from producers.services.inventory.restock import COVER_DAYS, LEAD_DAYS, SOLD_DAYS
from serving.kit.parameters import ProductId, SellerId
from serving.kit.product_cards import read_known_cards
from serving.products.endpoints import ProductsDep
from serving.products.service import ProductsService
from serving.web.forms import BadField, Form, action, form_page
from serving.web.policy import OF_STAFF, OF_STOCK_KEEPERS, page_router
from serving.web.seller.listings import of_seller
from serving.web.service_calls import ask
from serving.web.translation import N_, gettext

PAGE = "/sell/{seller_id}/restock"

MESSAGES: Mapping[str, str] = {
    "restocked": N_("The units are added to the stock. Shoppers can buy them within seconds."),
}

router = page_router(OF_STAFF)


@router.get(PAGE)
async def restock_page(request: Request, products: ProductsDep, seller_id: SellerId) -> Response:
    """Return the products that need more stock, those that are sold out soonest first."""
    return await _page(request, products=products)


@router.post(f"{PAGE}/{{product_id}}")
@policy(OF_STOCK_KEEPERS)
async def restock(
    request: Request, products: ProductsDep, seller_id: SellerId, product_id: ProductId
) -> Response:
    """Add units to the stock as it is now."""

    async def add(form: Form) -> None:
        quantity = form.whole("quantity", gettext("The quantity"))
        if quantity < 1:
            raise BadField(gettext("The quantity must be 1 or more."))
        stock = await ask(request, "GET", "/v1/products/{product_id}/stock", query={"seller_id": seller_id})
        body = {"seller_id": seller_id, "on_hand": stock["on_hand"] + quantity}
        await ask(request, "PUT", "/v1/products/{product_id}/stock", body)

    return await action(request, add, partial(_page, products=products), PAGE, "restocked")


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    *,
    products: ProductsService,
) -> Response:
    found: dict[str, Any] = await ask(request, "GET", "/v1/sellers/{seller_id}/restock")
    return form_page(
        request,
        "seller/restock.html",
        MESSAGES,
        problem,
        entered,
        needs=found["needs"],
        cards=await read_known_cards(products.versions, [need["product_id"] for need in found["needs"]]),
        sold_days=SOLD_DAYS,
        lead_days=LEAD_DAYS,
        cover_days=COVER_DAYS,
        **await of_seller(request),
    )
