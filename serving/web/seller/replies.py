"""`/sell/{seller_id}/replies`: the published reviews of a seller, and its replies to them."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Uuid
from common.problems import Problem
from producers.services.reviews.endpoints import REPLY
from producers.services.reviews.model import MAX_REPLY_CHARS
from serving.commerce.commerce_client import target_path
from serving.gateway.described_routes import DescribedRoute
from serving.kit.parameters import SellerId, reject_repeated_parameters
from serving.kit.product_cards import read_known_cards
from serving.products.endpoints import ProductsDep
from serving.web.forms import BadField, Form, confirmation, form_page, read_form
from serving.web.service_calls import Refusal, ask
from serving.web.translation import N_

PAGE = "/sell/{seller_id}/replies"
REVIEWS = "/v1/sellers/{seller_id}/published_reviews"

MESSAGES: Mapping[str, str] = {
    "replied": N_("The reply is published."),
    "taken_back": N_("The reply is taken back."),
}

router = APIRouter(
    route_class=DescribedRoute, include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)

Unanswered = Annotated[bool, Query()]
Cursor = Annotated[str | None, Query(max_length=400)]


@router.get(PAGE)
@policy(allow("seller", "admin", traffic="page", seller_parameter="seller_id"))
async def seller_replies_page(
    request: Request,
    products: ProductsDep,
    seller_id: SellerId,
    unanswered: Unanswered = False,
    cursor: Cursor = None,
) -> Response:
    """Return the published reviews of a seller, each with its reply and the form of one."""
    return await _replies_page(request, products, seller_id, unanswered=unanswered, cursor=cursor)


@router.post(f"{PAGE}/{{review_id}}")
@policy(REPLY)
async def save_reply(
    request: Request, products: ProductsDep, seller_id: SellerId, review_id: Uuid
) -> Response:
    """Publish or replace a reply; an empty one is taken back."""
    form = await read_form(request)
    text, path = form.text("text") or None, f"{REVIEWS}/{{review_id}}/reply"
    try:
        await ask(request, "PUT", path, {"text": text}, seller_id=seller_id, review_id=review_id)
    except (BadField, Refusal) as problem:
        return await _replies_page(request, products, seller_id, problem, form)
    return confirmation(target_path(PAGE, request.path_params), "replied" if text else "taken_back")


async def _replies_page(
    request: Request,
    products: ProductsDep,
    seller_id: str,
    problem: Problem | None = None,
    entered: Form | None = None,
    unanswered: bool = False,
    cursor: str | None = None,
) -> Response:
    query = {"unanswered": "true" if unanswered else None, "cursor": cursor}
    page: dict[str, Any] = await ask(request, "GET", REVIEWS, query=query, seller_id=seller_id)
    cards = await read_known_cards(
        products.versions, [one["product_id"] for one in page["reviews"] if one["product_id"]]
    )
    return form_page(
        request,
        "seller/replies.html",
        MESSAGES,
        problem,
        entered,
        seller_id=seller_id,
        unanswered=unanswered,
        cards=cards,
        max_reply=MAX_REPLY_CHARS,
        **page,
    )
