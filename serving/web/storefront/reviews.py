"""Reviews in the shop: those of a product, and the page of those that a buyer has written or may write."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from fastapi import Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Uuid
from common.problems import Problem
from producers.services.reviews.model import MAX_COMMENT_CHARS, MAX_TITLE_CHARS
from serving.commerce.commerce_client import target_path
from serving.gateway.gateway import identity_of, renewal
from serving.kit.cache.completeness import mark_incomplete
from serving.kit.parameters import Cursor, ProductId
from serving.kit.problems import CommerceUnavailable
from serving.kit.product_cards import read_known_cards
from serving.products.endpoints import ProductsDep
from serving.products.service import ProductsService
from serving.web.forms import Change, Form, action, confirmation, form_page, read_form, send, sending
from serving.web.policy import ANYBODY, page_router
from serving.web.service_calls import ask
from serving.web.translation import N_

SHOWN_WITH_PRODUCT = "3"
"""The number of reviews on the page of a product."""

STATUSES: Mapping[str, str] = {
    "published": N_("Published"),
    "pending": N_("We read it before it is published"),
    "rejected": N_("Not published"),
    "withdrawn": N_("Withdrawn"),
}
REASONS: Mapping[str, str] = {
    "spam": N_("It is an advertisement"),
    "offensive": N_("It is offensive"),
    "personal_data": N_("It tells something private of a person"),
    "off_topic": N_("It is about something else"),
    "not_a_buyer": N_("It is not by a buyer"),
}
"""Why a review is reported or rejected."""

MESSAGES: Mapping[str, str] = {
    "published": N_("Thank you! Your review is published."),
    "pending": N_("Thank you! We read your review before it is published."),
    "withdrawn": N_("Your review is withdrawn. It counts nowhere any more."),
    "voted": N_("Thank you! Your vote counts."),
    "reported": N_("Thank you! We look at reviews that several people report."),
}

PRODUCT_REVIEWS = "/shop/products/{product_id}/reviews"

_READ_OWN = allow("shopper", traffic="page")
_WRITE_OWN = allow("shopper", traffic="write")

router = page_router(ANYBODY, "/shop")


@router.get("/products/{product_id}/reviews")
async def product_reviews_page(
    request: Request,
    products: ProductsDep,
    product_id: ProductId,
    sort: Literal["newest", "helpful"] = "helpful",
    cursor: Cursor | None = None,
) -> Response:
    """Return the page of the reviews of a product."""
    found, shown = await asyncio.gather(
        products.product(product_id), _reviews(request, product_id, sort=sort, cursor=cursor)
    )
    return _page(request, "product_reviews.html", product=found, sort=sort, is_first=cursor is None, **shown)


@router.get("/products/{product_id}/reviews/summary")
async def product_reviews_summary(request: Request, product_id: ProductId) -> Response:
    """Return only the aggregate and the most helpful reviews, for the page of the product.

    Without the service, it says that they can't be shown: the product can be bought all the same.
    """
    try:
        shown = await _reviews(request, product_id, sort="helpful", limit=SHOWN_WITH_PRODUCT)
    except CommerceUnavailable:
        mark_incomplete()
        shown = {"aggregate": None, "reviews": []}
    return _page(request, "_reviews_summary.html", product_id=product_id, **shown)


@router.get("/reviews")
@policy(_READ_OWN)
async def own_reviews_page(request: Request, products: ProductsDep, cursor: Cursor | None = None) -> Response:
    """Return the page of the reviews that the person has written, and of what they may review."""
    return renewal(request) or await _own_page(request, products=products, cursor=cursor)


@router.post("/reviews")
@policy(_WRITE_OWN)
async def write_review(request: Request, products: ProductsDep) -> Response:
    """Submit a review of a delivered line."""
    return await _write(request, products, "POST", "/v1/reviews")


@router.post("/reviews/{review_id}")
@policy(_WRITE_OWN)
async def rewrite_review(request: Request, products: ProductsDep, review_id: Uuid) -> Response:
    """Replace a review of the person."""
    return await _write(request, products, "PUT", "/v1/reviews/{review_id}")


@router.post("/reviews/{review_id}/withdrawal")
@policy(_WRITE_OWN)
async def withdraw_own_review(request: Request, products: ProductsDep, review_id: Uuid) -> Response:
    """Withdraw a review of the person."""
    withdraw = sending(request, "DELETE", "/v1/reviews/{review_id}")
    return await _change(request, products, withdraw)


@router.post("/products/{product_id}/reviews/{review_id}/helpful")
@policy(_WRITE_OWN)
async def vote_for_review(request: Request, review_id: Uuid) -> Response:
    """Vote for a review as helpful. A refusal is a page of its own."""
    await ask(request, "PUT", "/v1/reviews/{review_id}/helpful", review_id=review_id)
    return confirmation(target_path(PRODUCT_REVIEWS, request.path_params), "voted")


@router.post("/products/{product_id}/reviews/{review_id}/report")
@policy(_WRITE_OWN)
async def report_product_review(request: Request, review_id: Uuid) -> Response:
    """Report a review. A refusal is a page of its own."""
    body = {"reason": (await read_form(request)).text("reason")}
    await ask(request, "POST", "/v1/reviews/{review_id}/reports", body, review_id=review_id)
    return confirmation(target_path(PRODUCT_REVIEWS, request.path_params), "reported")


async def _reviews(request: Request, product_id: str, **query: str | None) -> dict[str, Any]:
    shown: dict[str, Any] = await ask(
        request, "GET", "/v1/products/{product_id}/reviews", query=query, product_id=product_id
    )
    return shown


async def _write(request: Request, products: ProductsService, method: str, path: str) -> Response:
    """Send a review to a route of the service. The confirmation says whether it is published."""

    async def write(form: Form) -> str:
        review = await send(request, form, method, path)
        return str(review["status"])

    return await _change(request, products, write)


async def _change(request: Request, products: ProductsService, change: Change) -> Response:
    """Make a change of an own review and return to them; with a refusal, show them with what was entered."""
    return await action(request, change, partial(_own_page, products=products), "/shop/reviews", "withdrawn")


async def _own_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    *,
    products: ProductsService,
    cursor: str | None = None,
) -> Response:
    own, open_lines = await asyncio.gather(
        ask(request, "GET", "/v1/me/reviews", query={"cursor": cursor}),
        ask(request, "GET", "/v1/me/reviewable_lines"),
    )
    rows = [*own["reviews"], *open_lines["lines"]]
    cards = await read_known_cards(
        products.versions, [row["product_id"] for row in rows if row["product_id"]]
    )
    return _page(
        request,
        "reviews.html",
        problem,
        entered,
        reviews=own["reviews"],
        next_cursor=own["next_cursor"],
        lines=open_lines["lines"],
        cards=cards,
        statuses=STATUSES,
    )


def _page(
    request: Request,
    template: str,
    problem: Problem | None = None,
    entered: Form | None = None,
    **shown: Any,
) -> Response:
    signed_in = identity_of(request).signed_in is not None
    return form_page(
        request,
        f"shop/{template}",
        MESSAGES,
        problem,
        entered,
        signed_in=signed_in,
        reasons=REASONS,
        max_title=MAX_TITLE_CHARS,
        max_comment=MAX_COMMENT_CHARS,
        **shown,
    )
