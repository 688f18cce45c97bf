"""`/admin/reviews`: the reviews that wait for a person, and what a person decides about them."""

from collections.abc import Mapping
from typing import Literal

from fastapi import Request
from starlette.responses import Response

from common.ids import Uuid
from common.problems import Problem
from producers.services.reviews.model import Status
from serving.kit.parameters import Cursor
from serving.web.admin.page import admin_page, admin_router
from serving.web.forms import Form, action, send
from serving.web.service_calls import ask
from serving.web.storefront.reviews import REASONS, STATUSES
from serving.web.translation import N_

FLAGS: Mapping[str, str] = {
    "links": N_("has a link"),
    "insult": N_("may insult"),
    "flood": N_("many in an hour"),
    "same_text": N_("same text as another one"),
    "related": N_("by somebody close to the seller"),
    "reported": N_("reported"),
    "rejected": N_("rejected before"),
}
"""Why a review waits."""

router = admin_router()


@router.get("/reviews")
async def reviews(
    request: Request,
    status: Status | None = None,
    cursor: Cursor | None = None,
) -> Response:
    """Return the queue, or all reviews with a status."""
    return await _queue_page(request, status=status, cursor=cursor)


@router.post("/reviews/{review_id}/{decision}")
async def decide_review(
    request: Request, review_id: Uuid, decision: Literal["publication", "rejection"]
) -> Response:
    """Publish or reject a review."""
    status: Status = "published" if decision == "publication" else "rejected"

    async def decide(form: Form) -> None:
        await send(request, form, "PUT", "/v1/admin/reviews/{review_id}/decision", status=status)

    return await action(request, decide, _queue_page, "/admin/reviews", f"review_{status}")


async def _queue_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    status: str | None = None,
    cursor: str | None = None,
) -> Response:
    page = await ask(request, "GET", "/v1/admin/reviews", query={"status": status, "cursor": cursor})
    return admin_page(
        request,
        "reviews.html",
        "reviews",
        problem,
        entered,
        chosen=status,
        statuses={**STATUSES, "pending": N_("Waiting")},
        flags=FLAGS,
        reasons=REASONS,
        **page,
    )
