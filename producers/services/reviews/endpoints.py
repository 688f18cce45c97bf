"""The routes of reviews: what everyone reads, and what shoppers, sellers and moderators do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.access_policy import allow, anyone
from common.guarded_route import policy
from common.ids import Id, Uuid, new_id
from common.openapi import openapi_problem
from common.principal import Principal
from producers.kit.http.endpoint import context, json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath, ServiceRoute
from producers.kit.outbox.transaction import Transaction
from producers.services.reviews import store
from producers.services.reviews.model import (
    ALREADY_REVIEWED,
    CHANGED_REVIEW,
    FLOOD_PERIOD,
    NOT_DELIVERED,
    NOT_YOUR_SHOPPER,
    OWN_REVIEW,
    REPORTS_TO_REOPEN,
    UNKNOWN_LINE,
    UNKNOWN_REVIEW,
    ExportRequest,
    Line,
    ModeratedReview,
    OwnReview,
    OwnReviews,
    ProductReviews,
    PublicationRequest,
    PublicReview,
    RejectionRequest,
    ReplyRequest,
    ReportRequest,
    ReviewableLines,
    ReviewExport,
    ReviewPage,
    ReviewQueue,
    ReviewRequest,
    ReviewText,
    Status,
    aggregate,
    find_flags,
    narrowed,
    next_version,
)

NAME = "reviews"
MAX_LINES = 200
MAX_EXPORTED = 1_000_000

MODERATOR = "administrator"
"""Who decided, in events: they name no person."""

WRITE_OWN = allow("shopper", "platform", traffic="write")
READ_OWN = allow("shopper", traffic="read")
VOTE = allow("shopper", traffic="write")
REPLY = allow("seller", "admin", traffic="write", staff=("owner", "manager"), seller_parameter="seller_id")
MODERATE = allow("admin", traffic="write")

EXAMPLE_TEXT = {"score": 5, "title": "As described", "comment": "It arrived early and works well."}
EXAMPLE_REVIEW = {"order_id": "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11", "line_number": 1, **EXAMPLE_TEXT}
NO_REVIEW = openapi_problem(404, "There is no such review, or it can't be read.")
NOT_READY_TO_REVIEW = openapi_problem(404, "None of the sender's orders has the line.") | openapi_problem(
    409, "The line was not delivered yet, or has a review."
)
CHANGED = openapi_problem(409, "The review has another version meanwhile.")

ReviewId = Annotated[Uuid, Path(description="The review's id.")]
ProductPath = Annotated[Id, Path(description="The product's id.", examples=["product-000001"])]
Cursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` of the previous page.")]
Limit = Annotated[int, Query(ge=1, le=100)]

public = APIRouter(prefix="/v1", tags=["reviews"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1", route_class=ServiceRoute)


@public.get(
    "/products/{product_id}/reviews", summary="The reviews of a product", response_model=ProductReviews
)
@policy(anyone("read"))
async def product_reviews(
    request: Request,
    product_id: ProductPath,
    sort: Annotated[
        Literal["newest", "helpful"], Query(description="`helpful`: the most votes first.")
    ] = "newest",
    cursor: Cursor = None,
    limit: Limit = 10,
) -> Response:
    """Return the published reviews of a product, and their mean with the constants of its Bayesian form."""
    after = store.Position.of(cursor)
    find = store.find_newest if sort == "newest" else store.find_most_helpful
    async with transactions(request, NAME).connection() as sql:
        rows = await find(sql, product_id, after, limit + 1)
        numbers = aggregate(await store.count_by_score(sql, product_id))
    return json_response({"aggregate": numbers, **_page(rows, limit, PublicReview)})


@public.post(
    "/reviews",
    summary="Review what was delivered",
    status_code=201,
    response_model=OwnReview,
    responses=NOT_READY_TO_REVIEW,
)
@policy(WRITE_OWN)
async def submit_review(
    request: Request, body: Annotated[ReviewRequest, JsonBody(EXAMPLE_REVIEW)]
) -> Response:
    """Review a delivered line of an own order, once.

    The review is published at once, or waits for a person (`status`: `pending`). A review that was withdrawn
    or rejected opens again with the same id.
    """
    author, owners = _author(body, principal_of(request))
    line = await _deliverable(request, body.order_id, body.line_number, owners)
    is_related = await _is_related(request, line)
    async with transaction(request, NAME, line.order_id) as tx:
        await store.lock(tx, author)
        before = await store.lock_review_of_line(tx, line.order_id, line.line_number)
        if before is not None and before.status in ("pending", "published"):
            raise ALREADY_REVIEWED(
                order_id=line.order_id, line_number=line.line_number, review_id=before.review_id
            )
        review = await _save_version(tx, before, line, author, body, is_related)
    return json_response(narrowed(review, OwnReview), 201)


@public.put(
    "/reviews/{review_id}", summary="Write a review anew", response_model=OwnReview, responses=NO_REVIEW
)
@policy(WRITE_OWN)
async def change_review(
    request: Request, review_id: ReviewId, body: Annotated[ReviewText, JsonBody(EXAMPLE_TEXT)]
) -> Response:
    """Replace an own review. Its former version is not shown any more, even while the new one waits."""
    principal = principal_of(request)
    async with transactions(request, NAME).connection() as sql:
        found = _own(await store.find_review(sql, review_id), review_id, principal)
        owners = [found.shopper_id, *principal.shopper_ids]
    if found.source_id is not None or found.line_number is None:
        raise UNKNOWN_REVIEW(review_id=review_id)
    line = await _deliverable(request, found.order_id, found.line_number, owners)
    is_related = await _is_related(request, line)
    async with transaction(request, NAME, line.order_id) as tx:
        await store.lock(tx, found.shopper_id)
        before = _own(await store.lock_review(tx, review_id), review_id, principal)
        review = await _save_version(tx, before, line, before.shopper_id, body, is_related)
    return json_response(narrowed(review, OwnReview))


@public.delete("/reviews/{review_id}", summary="Withdraw a review", status_code=204, responses=NO_REVIEW)
@policy(WRITE_OWN)
async def withdraw_review(request: Request, review_id: ReviewId) -> Response:
    """Take an own review back. It counts nowhere any more."""
    async with transaction(request, NAME, review_id) as tx:
        review = _own(await store.lock_review(tx, review_id), review_id, principal_of(request))
        if review.status != "withdrawn":
            moment = review.next_moment(tx.now)
            await store.save_decided(tx, _decided(review, "withdrawn", moment))
    return Response(status_code=204)


@public.get("/me/reviews", summary="Your reviews", response_model=OwnReviews)
@policy(READ_OWN)
async def own_reviews(request: Request, cursor: Cursor = None, limit: Limit = 20) -> Response:
    """Return the sender's reviews in every status, the newest first."""
    after = store.Position.of(cursor)
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_own(sql, principal_of(request).shopper_ids, after, limit + 1)
    return json_response(_page(rows, limit, OwnReview))


@public.get("/me/reviewable_lines", summary="What you may review", response_model=ReviewableLines)
@policy(READ_OWN)
async def reviewable_lines(request: Request) -> Response:
    """Return the delivered lines of the sender's orders that have no review, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        lines = await store.find_reviewable(sql, principal_of(request).shopper_ids, MAX_LINES)
    return json_response({"lines": lines})


@public.put(
    "/reviews/{review_id}/helpful",
    summary="Say that a review is helpful",
    status_code=204,
    responses=NO_REVIEW | openapi_problem(409, "It is the sender's own review."),
)
@policy(VOTE)
async def vote_helpful(request: Request, review_id: ReviewId) -> Response:
    """Vote for a review of somebody else. Each person has one vote, however often they send it."""
    async with transaction(request, NAME, review_id) as tx:
        review, shopper_id = await _of_another(tx, review_id, principal_of(request))
        await store.save_vote(tx, review, shopper_id)
    return Response(status_code=204)


@public.delete("/reviews/{review_id}/helpful", summary="Take a vote back", status_code=204)
@policy(VOTE)
async def take_vote_back(request: Request, review_id: ReviewId) -> Response:
    """Take the sender's vote for a review back, if they have one."""
    async with transaction(request, NAME, review_id) as tx:
        await store.delete_vote(tx, review_id, str(principal_of(request).shopper_id))
    return Response(status_code=204)


@public.post(
    "/reviews/{review_id}/reports",
    summary="Report a review",
    status_code=204,
    responses=NO_REVIEW | openapi_problem(409, "It is the sender's own review."),
)
@policy(VOTE)
async def report_review(
    request: Request, review_id: ReviewId, body: Annotated[ReportRequest, JsonBody({"reason": "spam"})]
) -> Response:
    """Report a review of somebody else, once a person. After some reports, a person looks at it."""
    async with transaction(request, NAME, review_id) as tx:
        review, shopper_id = await _of_another(tx, review_id, principal_of(request))
        await store.save_report(tx, review, shopper_id, body.reason)
        counted = await store.lock_review(tx, review_id)
        if counted is not None and counted.reports >= REPORTS_TO_REOPEN and not counted.is_queued:
            await store.save_review(tx, replace(counted, is_queued=True, flags=["reported"]))
    return Response(status_code=204)


@public.get(
    "/sellers/{seller_id}/published_reviews",
    summary="The published reviews of a seller",
    response_model=ReviewPage,
)
@policy(allow("seller", "admin", traffic="read", seller_parameter="seller_id"))
async def published_reviews(
    request: Request,
    seller_id: SellerPath,
    unanswered: Annotated[bool, Query(description="Only those without a reply.")] = False,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """Return the published reviews of a seller with their texts and replies, the newest first."""
    after = store.Position.of(cursor)
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_of_seller(sql, seller_id, unanswered, after, limit + 1)
    return json_response(_page(rows, limit, PublicReview))


@public.post(
    "/sellers/{seller_id}/published_reviews/{review_id}/reply",
    summary="Reply to a review",
    response_model=PublicReview,
    responses=NO_REVIEW,
)
@policy(REPLY)
async def reply_to_review(
    request: Request,
    seller_id: SellerPath,
    review_id: ReviewId,
    body: Annotated[ReplyRequest, JsonBody({"text": "Thank you! We have mended the box."})],
) -> Response:
    """Reply in public to a published review, or replace the reply."""
    return json_response(await _save_reply(request, seller_id, review_id, body.text))


@public.delete(
    "/sellers/{seller_id}/published_reviews/{review_id}/reply",
    summary="Take a reply back",
    response_model=PublicReview,
    responses=NO_REVIEW,
)
@policy(REPLY)
async def take_reply_back(request: Request, seller_id: SellerPath, review_id: ReviewId) -> Response:
    """Take the reply to a review back, if there is one."""
    return json_response(await _save_reply(request, seller_id, review_id, None))


@public.get("/admin/reviews", summary="Reviews that wait for a person", response_model=ReviewQueue)
@policy(allow("admin", traffic="read"))
async def review_queue(
    request: Request,
    status: Annotated[Status | None, Query(description="All with this status instead.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Return the reviews that a rule or reports have put into the queue; `flags` says why."""
    after = store.Position.of(cursor)
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_queue(sql, status, after, limit + 1)
    return json_response(_page(rows, limit, ModeratedReview))


@public.post(
    "/admin/reviews/{review_id}/publication",
    summary="Publish a review",
    response_model=ModeratedReview,
    responses=NO_REVIEW | CHANGED,
)
@policy(MODERATE)
async def publish_review(
    request: Request, review_id: ReviewId, body: Annotated[PublicationRequest, JsonBody({"version": 1})]
) -> Response:
    """Publish a review, or leave it published after reports, which are forgotten."""
    return json_response(await _decide(request, review_id, body.version, "published"))


@public.post(
    "/admin/reviews/{review_id}/rejection",
    summary="Reject a review",
    response_model=ModeratedReview,
    responses=NO_REVIEW | CHANGED,
)
@policy(MODERATE)
async def reject_review(
    request: Request,
    review_id: ReviewId,
    body: Annotated[
        RejectionRequest, JsonBody({"version": 1, "reason": "spam", "note": "It is an advertisement."})
    ],
) -> Response:
    """Reject a review, published or not. Its author reads the reason and the note, and may write it anew."""
    return json_response(await _decide(request, review_id, body.version, "rejected", body.reason, body.note))


@internal.post("/reviews/exports", response_model=ReviewExport)
@policy(allow("platform", traffic="operations"))
async def export_reviews(request: Request, body: Annotated[ExportRequest, JsonBody()]) -> Response:
    """All reviews, votes and reports of a person."""
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_own(sql, body.shopper_ids, store.Position(), MAX_EXPORTED)
        export: ReviewExport = {
            "reviews": [narrowed(review, OwnReview) for review in rows],
            "helpful_reviews": await store.find_votes(sql, body.shopper_ids),
            "reported_reviews": await store.find_reported(sql, body.shopper_ids),
        }
    return json_response(export)


router = APIRouter()
router.include_router(public)
router.include_router(internal)


def _page(rows: list[ModeratedReview], limit: int, view: type[PublicReview]) -> dict[str, Any]:
    shown, next_cursor = store.cut_page(rows, limit)
    return {"reviews": [narrowed(review, view) for review in shown], "next_cursor": next_cursor}


def _author(body: ReviewRequest, principal: Principal) -> tuple[str, Sequence[str]]:
    """Return who writes a review, and the shopper ids whose orders they may review.

    Raises:
        NOT_YOUR_SHOPPER: the body names another shopper, and the sender is no process of the platform.
    """
    if "platform" in principal.roles and body.shopper_id is not None:
        return body.shopper_id, (body.shopper_id,)
    if principal.shopper_id is None or body.shopper_id not in (None, *principal.shopper_ids):
        raise NOT_YOUR_SHOPPER()
    return principal.shopper_id, principal.shopper_ids


async def _deliverable(request: Request, order_id: str, line_number: int, owners: Sequence[str]) -> Line:
    """Return a delivered line of these shoppers.

    Raises:
        UNKNOWN_LINE: there is none, or it is somebody else's.
        NOT_DELIVERED: it has not arrived yet.
    """
    async with transactions(request, NAME).connection() as sql:
        line = await store.find_line(sql, order_id, line_number, owners)
    if line is None:
        raise UNKNOWN_LINE(order_id=order_id, line_number=line_number)
    if line.delivered_at is None:
        raise NOT_DELIVERED(order_id=order_id, line_number=line_number)
    return line


async def _is_related(request: Request, line: Line) -> bool:
    """Return whether the sender is close to the seller of a line: users says it, and nothing is stored.

    Raises:
        ServiceNotReady: the users service does not answer.
    """
    principal = principal_of(request)
    if "platform" in principal.roles:
        return False
    path = f"/v1/people/{principal.subject}/relations"
    answer = await context(request, NAME).ask(
        "users", path, {"seller_id": line.seller_id, "since": line.placed_at.isoformat()}
    )
    return bool(answer["is_related"])


def _own(review: ModeratedReview | None, review_id: str, principal: Principal) -> ModeratedReview:
    """Return a review of the sender, or for a process of the platform any.

    Raises:
        UNKNOWN_REVIEW: there is none, or it is somebody else's.
    """
    if review is None or not ("platform" in principal.roles or review.shopper_id in principal.shopper_ids):
        raise UNKNOWN_REVIEW(review_id=review_id)
    return review


async def _save_version(
    tx: Transaction,
    before: ModeratedReview | None,
    line: Line,
    author: str,
    text: ReviewText,
    is_related: bool,
) -> ModeratedReview:
    """Save the next version of the review of a line, whose author is locked, and emit what happens with it.

    Raises:
        UNKNOWN_LINE: the author was erased a moment ago.
    """
    if await store.find_erased(tx, author) is not None:
        raise UNKNOWN_LINE(order_id=line.order_id, line_number=line.line_number)
    moment = tx.now if before is None else before.next_moment(tx.now)
    if before is not None and before.status == "published":
        await store.save_decided(tx, _decided(before, "withdrawn", moment))
        moment += timedelta(milliseconds=1)
    review_id = new_id() if before is None else before.review_id
    others = await store.find_comments(tx, author, review_id)
    recent = [other for other in others if other["submitted_at"] > tx.now - FLOOD_PERIOD]
    flags = find_flags(text, len(recent), [other["comment"] or "" for other in others], is_related)
    review = next_version(
        before,
        flags,
        moment,
        review_id=review_id,
        source_id=None,
        order_id=line.order_id,
        line_number=line.line_number,
        shopper_id=author,
        product_id=line.product_id,
        seller_id=line.seller_id,
        score=text.score,
        title=text.title or None,
        comment=text.comment or None,
    )
    tx.emit("review_submitted", **review.subject, occurred_at=moment, title=None, comment=None)
    await (store.save_review if flags else store.save_decided)(tx, review)
    return review


async def _of_another(tx: Transaction, review_id: str, principal: Principal) -> tuple[ModeratedReview, str]:
    """Return a published review, locked, and the shopper id of the sender.

    Raises:
        UNKNOWN_REVIEW: there is none.
        OWN_REVIEW: the sender has written it.
    """
    review = await store.lock_review(tx, review_id)
    if review is None or review.status != "published":
        raise UNKNOWN_REVIEW(review_id=review_id)
    if review.shopper_id in principal.shopper_ids:
        raise OWN_REVIEW()
    return review, str(principal.shopper_id)


async def _save_reply(request: Request, seller_id: str, review_id: str, text: str | None) -> PublicReview:
    async with transaction(request, NAME, review_id) as tx:
        review = await store.lock_review(tx, review_id)
        if review is None or review.status != "published" or review.seller_id != seller_id:
            raise UNKNOWN_REVIEW(review_id=review_id)
        if text != review.reply:
            review = replace(review, reply=text, replied_at=tx.now if text else None)
            await store.save_review(tx, review)
            subject = {name: review.subject[name] for name in ("review_id", "order_id", "product_id")}
            tx.emit("review_answered", **subject, seller_id=seller_id, text=text)
    return narrowed(review, PublicReview)


async def _decide(
    request: Request,
    review_id: str,
    version: int,
    status: Literal["published", "rejected"],
    reason: str | None = None,
    note: str | None = None,
) -> ModeratedReview:
    async with transaction(request, NAME, review_id) as tx:
        review = await store.lock_review(tx, review_id)
        if review is None or review.status == "withdrawn":
            raise UNKNOWN_REVIEW(review_id=review_id)
        if review.version != version:
            raise CHANGED_REVIEW(review_id=review_id, version=review.version)
        await store.delete_reports(tx, review_id)
        after = _decided(replace(review, reports=0), status, review.next_moment(tx.now), reason, note)
        if status == review.status:
            after = replace(after, decided_at=review.decided_at)
            await store.save_review(tx, after)
        else:
            await store.save_decided(tx, after, MODERATOR)
    return after


def _decided(
    review: ModeratedReview, status: Status, at: datetime, reason: str | None = None, note: str | None = None
) -> ModeratedReview:
    return replace(review, status=status, decided_at=at, reason=reason, note=note or None, is_queued=False)
