"""Reviews in the shop: those of a product, and the page of those that a buyer has written or may write."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from common.access_policy import allow, anyone
from common.guarded_route import policy
from common.ids import Uuid
from common.problems import Problem
from producers.services.reviews.model import MAX_COMMENT_CHARS, MAX_TITLE_CHARS
from serving.commerce.commerce_client import target_path
from serving.gateway.described_routes import DescribedRoute
from serving.gateway.gateway import identity_of, renewal
from serving.kit.parameters import ProductId, reject_repeated_parameters
from serving.kit.product_cards import read_known_cards
from serving.products.endpoints import ProductsDep
from serving.web.forms import BadField, Form, confirmation, form_page, read_form
from serving.web.service_calls import Refusal, ask
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

router = APIRouter(
    prefix="/shop",
    route_class=DescribedRoute,
    include_in_schema=False,
    dependencies=[Depends(reject_repeated_parameters)],
)

Cursor = Annotated[str | None, Query(max_length=400)]


@router.get("/products/{product_id}/reviews")
@policy(anyone("page"))
async def product_reviews_page(
    request: Request,
    products: ProductsDep,
    product_id: ProductId,
    sort: Literal["newest", "helpful"] = "helpful",
    cursor: Cursor = None,
) -> Response:
    """Return the page of the reviews of a product."""
    found, shown = await asyncio.gather(
        products.product(product_id), _reviews(request, product_id, sort=sort, cursor=cursor)
    )
    return _page(request, "product_reviews.html", product=found, sort=sort, is_first=cursor is None, **shown)


@router.get("/products/{product_id}/reviews/summary")
@policy(anyone("page"))
async def product_reviews_summary(request: Request, product_id: ProductId) -> Response:
    """Return only the aggregate and the most helpful reviews, for the page of the product."""
    shown = await _reviews(request, product_id, sort="helpful", limit=SHOWN_WITH_PRODUCT)
    return _page(request, "_reviews_summary.html", product_id=product_id, **shown)


@router.get("/reviews")
@policy(_READ_OWN)
async def own_reviews_page(request: Request, products: ProductsDep, cursor: Cursor = None) -> Response:
    """Return the page of the reviews that the person has written, and of what they may review."""
    return renewal(request) or await _own_page(request, products, cursor=cursor)


@router.post("/reviews")
@policy(_WRITE_OWN)
async def write_review(request: Request, products: ProductsDep) -> Response:
    """Submit a review of a delivered line."""

    async def write(form: Form) -> Any:
        line = {"order_id": form.text("order_id"), "line_number": _whole(form.text("line_number"))}
        return await ask(request, "POST", "/v1/reviews", {**line, **_written(form)})

    return await _change(request, products, write)


@router.post("/reviews/{review_id}")
@policy(_WRITE_OWN)
async def rewrite_review(request: Request, products: ProductsDep, review_id: Uuid) -> Response:
    """Replace a review of the person."""

    async def rewrite(form: Form) -> Any:
        return await ask(request, "PUT", "/v1/reviews/{review_id}", _written(form), review_id=review_id)

    return await _change(request, products, rewrite)


@router.post("/reviews/{review_id}/withdrawal")
@policy(_WRITE_OWN)
async def withdraw_own_review(request: Request, products: ProductsDep, review_id: Uuid) -> Response:
    """Withdraw a review of the person."""

    async def withdraw(_form: Form) -> Any:
        await ask(request, "DELETE", "/v1/reviews/{review_id}", review_id=review_id)
        return {"status": "withdrawn"}

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


async def _change(
    request: Request, products: ProductsDep, change: Callable[[Form], Awaitable[Any]]
) -> Response:
    """Make a change and return to the own reviews; with a refusal, show them with what was entered."""
    form = await read_form(request)
    try:
        review = await change(form)
    except (BadField, Refusal) as problem:
        return await _own_page(request, products, problem, form)
    return confirmation("/shop/reviews", review["status"])


async def _own_page(
    request: Request,
    products: ProductsDep,
    problem: Problem | None = None,
    entered: Form | None = None,
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


def _written(form: Form) -> dict[str, Any]:
    """Return what a person has written; the service checks it."""
    return {
        "score": _whole(form.text("score")),
        "title": form.text("title"),
        "comment": form.text("comment"),
    }


def _whole(text: str) -> int | str:
    """Return a whole number; another text as it is, for the service to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
