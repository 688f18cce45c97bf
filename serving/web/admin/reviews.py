"""`/admin/reviews`: the reviews that wait for a person, and what a person decides about them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from starlette.responses import Response

from common.ids import Uuid
from common.problems import Problem
from producers.services.reviews.model import Status
from serving.web.admin.page import admin_page, admin_router
from serving.web.forms import BadField, Form, confirmation, read_form
from serving.web.service_calls import Refusal, ask
from serving.web.storefront.reviews import REASONS, STATUSES
from serving.web.translation import N_

FLAGS: Mapping[str, str] = {
    "links": N_("has a link"),
    "insult": N_("may insult"),
    "flood": N_("many in an hour"),
    "same_text": N_("same text as another one"),
    "related": N_("by somebody close to the seller"),
    "reported": N_("reported"),
}
"""Why a review waits."""

router = admin_router()


@router.get("/reviews")
async def reviews(
    request: Request,
    status: Status | None = None,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """Return the queue, or all reviews with a status."""
    return await _queue_page(request, status, cursor)


@router.post("/reviews/{review_id}/{decision}")
async def decide_review(
    request: Request, review_id: Uuid, decision: Literal["publication", "rejection"]
) -> Response:
    """Publish or reject a review."""
    form = await read_form(request)
    version = form.text("version")
    status = "published" if decision == "publication" else "rejected"
    body: dict[str, Any] = {"version": int(version) if version.isdecimal() else version, "status": status}
    if decision == "rejection":
        body |= {"reason": form.text("reason"), "note": form.optional("note")}
    try:
        await ask(request, "PUT", "/v1/admin/reviews/{review_id}/decision", body, review_id=review_id)
    except (BadField, Refusal) as problem:
        return await _queue_page(request, problem=problem, entered=form)
    return confirmation("/admin/reviews", f"review_{status}")


async def _queue_page(
    request: Request,
    status: str | None = None,
    cursor: str | None = None,
    problem: Problem | None = None,
    entered: Form | None = None,
) -> Response:
    page = await ask(request, "GET", "/v1/admin/reviews", query={"status": status, "cursor": cursor})
    return admin_page(
        request,
        "reviews.html",
        "reviews",
        problem,
        entered,
        status=status,
        statuses=STATUSES,
        flags=FLAGS,
        reasons=REASONS,
        **page,
    )
