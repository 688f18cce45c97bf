"""`/sell/{seller_id}/replies`: the published reviews of a seller, and its replies to them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid
from common.problems import Problem
from producers.services.reviews.endpoints import REPLY
from producers.services.reviews.model import MAX_REPLY_CHARS
from serving.kit.parameters import Cursor, SellerId
from serving.kit.product_cards import read_known_cards
from serving.products.endpoints import ProductsDep
from serving.products.service import ProductsService
from serving.web.forms import Form, action, form_page
from serving.web.policy import OF_STAFF, page_router
from serving.web.service_calls import ask
from serving.web.translation import N_

PAGE = "/sell/{seller_id}/replies"
REVIEWS = "/v1/sellers/{seller_id}/published_reviews"

MESSAGES: Mapping[str, str] = {
    "replied": N_("The reply is published."),
    "taken_back": N_("The reply is taken back."),
}

router = page_router(OF_STAFF)


@router.get(PAGE)
async def seller_replies_page(
    request: Request,
    products: ProductsDep,
    seller_id: SellerId,
    unanswered: Annotated[bool, Query()] = False,
    cursor: Cursor | None = None,
) -> Response:
    """Return the published reviews of a seller, each with its reply and the form of one."""
    return await _replies_page(request, products=products, unanswered=unanswered, cursor=cursor)


@router.post(f"{PAGE}/{{review_id}}")
@policy(REPLY)
async def save_reply(
    request: Request, products: ProductsDep, seller_id: SellerId, review_id: Uuid
) -> Response:
    """Publish or replace a reply; an empty one is taken back."""

    async def reply(form: Form) -> str:
        text = form.optional("text")
        await ask(request, "PUT", f"{REVIEWS}/{{review_id}}/reply", {"text": text})
        return "replied" if text else "taken_back"

    return await action(request, reply, partial(_replies_page, products=products), PAGE, "replied")


async def _replies_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    *,
    products: ProductsService,
    unanswered: bool = False,
    cursor: str | None = None,
) -> Response:
    query = {"unanswered": "true" if unanswered else None, "cursor": cursor}
    page: dict[str, Any] = await ask(request, "GET", REVIEWS, query=query)
    cards = await read_known_cards(
        products.versions, [one["product_id"] for one in page["reviews"] if one["product_id"]]
    )
    return form_page(
        request,
        "seller/replies.html",
        MESSAGES,
        problem,
        entered,
        seller_id=request.path_params["seller_id"],
        unanswered=unanswered,
        cards=cards,
        max_reply=MAX_REPLY_CHARS,
        **page,
    )
