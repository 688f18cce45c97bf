"""The routes of reviews: what everyone reads, and what shoppers, sellers and moderators do."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Path, Query, Request

from common.access_policy import allow, anyone
from common.guarded_route import policy
from common.ids import Id, Uuid, new_id
from common.openapi import openapi_problem
from common.principal import Principal
from producers.kit.http.endpoint import context, transaction, transactions
from producers.kit.http.guard import principal_of, shopper_of
from producers.kit.http.pages import Cursor, Limit, Position, cut_page
from producers.kit.http.problems import require
from producers.kit.http.routes import PLATFORM, JsonBody, PublicRoute, SellerPath, ServiceRoute
from producers.kit.http.strict_request import ExportRequest
from producers.kit.postgres.statements import narrowed
from producers.services.reviews import store
from producers.services.reviews.model import (
    ALREADY_REVIEWED,
    CHANGED_REVIEW,
    FLOOD_PERIOD,
    NOT_DELIVERED,
    OWN_REVIEW,
    REPORTS_TO_REOPEN,
    UNKNOWN_LINE,
    UNKNOWN_REVIEW,
    DecisionRequest,
    ModeratedReview,
    OwnReview,
    OwnReviews,
    ProductReviews,
    PublicReview,
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

EXAMPLE_TEXT = {"score": 5, "title": "As described", "comment": "It arrived early and works well."}
EXAMPLE_REVIEW = {"order_id": "0193b0c4-7a51-7cc2-9d0e-5f2b7f0a1c11", "line_number": 1, **EXAMPLE_TEXT}
EXAMPLE_DECISION = {"version": 1, "status": "rejected", "reason": "spam", "note": "It is an advertisement."}
NO_REVIEW = openapi_problem(404, "There is no such review, or it can't be read.")
OWN = openapi_problem(409, "It is the sender's own review.")
CHANGED = openapi_problem(409, "The review has another version meanwhile.")
NOT_READY_TO_REVIEW = openapi_problem(404, "None of the sender's orders has the line.") | openapi_problem(
    409, "The line was not delivered yet, or has a review."
)

ReviewId = Annotated[Uuid, Path(description="The review's id.")]
ProductPath = Annotated[Id, Path(description="The product's id.", examples=["product-000001"])]
Sort = Annotated[Literal["newest", "helpful"], Query(description="`helpful`: the most votes first.")]

Shown = TypeVar("Shown", bound=PublicReview)

public = APIRouter(prefix="/v1", tags=["reviews"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1", route_class=ServiceRoute)


@public.get("/products/{product_id}/reviews", summary="The reviews of a product")
@policy(anyone("read"))
async def product_reviews(
    request: Request,
    product_id: ProductPath,
    sort: Sort = "newest",
    cursor: Cursor = None,
    limit: Limit = 10,
) -> ProductReviews:
    """Return the published reviews of a product, and their mean with the constants of its Bayesian form."""
    find = store.find_newest if sort == "newest" else store.find_most_helpful
    async with transactions(request, NAME).connection() as sql:
        rows = await find(sql, product_id, Position.of(cursor), limit + 1)
        numbers = aggregate(await store.count_by_score(sql, product_id))
    reviews, next_cursor = _page(rows, limit, PublicReview, by_votes=sort == "helpful")
    return {"aggregate": numbers, "reviews": reviews, "next_cursor": next_cursor}


@public.post("/reviews", summary="Review what was delivered", status_code=201, responses=NOT_READY_TO_REVIEW)
@policy(WRITE_OWN)
async def submit_review(
    request: Request, body: Annotated[ReviewRequest, JsonBody(EXAMPLE_REVIEW)]
) -> OwnReview:
    """Review a delivered line of an own order, once.

    The review is published at once, or waits for a person (`status`: `pending`). A review that was withdrawn
    or rejected opens again with the same id.
    """
    principal = principal_of(request)
    named = shopper_of(body.shopper_id, principal)
    author = principal.shopper_id or named  # the ids of a person's time as a guest don't divide their reviews
    return await _write(request, body.order_id, body.line_number, author, body)


@public.put("/reviews/{review_id}", summary="Write a review anew", responses=NO_REVIEW)
@policy(WRITE_OWN)
async def change_review(
    request: Request, review_id: ReviewId, body: Annotated[ReviewText, JsonBody(EXAMPLE_TEXT)]
) -> OwnReview:
    """Replace an own review. Its former version is not shown any more, even while the new one waits."""
    async with transactions(request, NAME).connection() as sql:
        found = require(await store.find_review(sql, review_id), UNKNOWN_REVIEW(review_id=review_id))
    is_of_shop = found.source_id is None and _is_own(found, principal_of(request))
    line_number = require(is_of_shop and found.line_number, UNKNOWN_REVIEW(review_id=review_id))
    return await _write(request, found.order_id, line_number, found.shopper_id, body, replaces=True)


@public.delete("/reviews/{review_id}", summary="Withdraw a review", status_code=204, responses=NO_REVIEW)
@policy(WRITE_OWN)
async def withdraw_review(request: Request, review_id: ReviewId) -> None:
    """Take an own review back. It counts nowhere any more. A rejected one stays rejected."""
    async with transaction(request, NAME, review_id) as tx:
        review = await store.lock_review(tx, review_id, lambda it: _is_own(it, principal_of(request)))
        if review.status in ("pending", "published"):
            await store.save_decided(tx, review.decided("withdrawn", tx.now))


@public.get("/me/reviews", summary="Your reviews")
@policy(READ_OWN)
async def own_reviews(request: Request, cursor: Cursor = None, limit: Limit = 20) -> OwnReviews:
    """Return the sender's reviews in every status, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_own(sql, principal_of(request).shopper_ids, Position.of(cursor), limit + 1)
    reviews, next_cursor = _page(rows, limit, OwnReview)
    return {"reviews": reviews, "next_cursor": next_cursor}


@public.get("/me/reviewable_lines", summary="What you may review")
@policy(READ_OWN)
async def reviewable_lines(request: Request) -> ReviewableLines:
    """Return the delivered lines of the sender's orders that have no review, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        return {"lines": await store.find_reviewable(sql, principal_of(request).shopper_ids, MAX_LINES)}


@public.put(
    "/reviews/{review_id}/helpful",
    summary="Say that a review is helpful",
    status_code=204,
    responses=NO_REVIEW | OWN,
)
@policy(VOTE)
async def vote_helpful(request: Request, review_id: ReviewId) -> None:
    """Vote for a review of somebody else. Each person has one vote, however often they send it."""
    await _save_opinion(request, review_id, None)


@public.delete("/reviews/{review_id}/helpful", summary="Take a vote back", status_code=204)
@policy(VOTE)
async def take_vote_back(request: Request, review_id: ReviewId) -> None:
    """Take the sender's vote for a review back, if they have one."""
    async with transaction(request, NAME, review_id) as tx:
        await store.delete_vote(tx, review_id, str(principal_of(request).shopper_id))


@public.post(
    "/reviews/{review_id}/reports", summary="Report a review", status_code=204, responses=NO_REVIEW | OWN
)
@policy(VOTE)
async def report_review(
    request: Request, review_id: ReviewId, body: Annotated[ReportRequest, JsonBody({"reason": "spam"})]
) -> None:
    """Report a review of somebody else, once a person. After some reports, a person looks at it."""
    await _save_opinion(request, review_id, body.reason)


@public.get("/sellers/{seller_id}/published_reviews", summary="The published reviews of a seller")
@policy(allow("seller", "admin", traffic="read", seller_parameter="seller_id"))
async def published_reviews(
    request: Request,
    seller_id: SellerPath,
    unanswered: Annotated[bool, Query(description="Only those without a reply.")] = False,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> ReviewPage:
    """Return the published reviews of a seller with their texts and replies, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_of_seller(sql, seller_id, unanswered, Position.of(cursor), limit + 1)
    reviews, next_cursor = _page(rows, limit, PublicReview)
    return {"reviews": reviews, "next_cursor": next_cursor}


@public.put(
    "/sellers/{seller_id}/published_reviews/{review_id}/reply",
    summary="Reply to a review",
    responses=NO_REVIEW,
)
@policy(REPLY)
async def reply_to_review(
    request: Request,
    seller_id: SellerPath,
    review_id: ReviewId,
    body: Annotated[ReplyRequest, JsonBody({"text": "Thank you! We have mended the box."})],
) -> PublicReview:
    """Reply in public to a published review, replace the reply, or take it back with null."""
    async with transaction(request, NAME, review_id) as tx:
        review = await store.lock_review(
            tx, review_id, lambda it: it.status == "published" and it.seller_id == seller_id
        )
        if body.text != review.reply:
            review = await store.save_reply(tx, review, body.text)
    return narrowed(PublicReview, review)


@public.get("/admin/reviews", summary="Reviews that wait for a person")
@policy(allow("admin", traffic="read"))
async def review_queue(
    request: Request,
    status: Annotated[Status | None, Query(description="All with this status instead.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReviewQueue:
    """Return the reviews that a rule or reports have put into the queue; `flags` says why."""
    async with transactions(request, NAME).connection() as sql:
        after = Position.of(cursor)
        rows = await (
            store.find_with_status(sql, status, after, limit + 1)
            if status
            else store.find_queue(sql, after, limit + 1)
        )
    reviews, next_cursor = _page(rows, limit, ModeratedReview)
    return {"reviews": reviews, "next_cursor": next_cursor}


@public.put(
    "/admin/reviews/{review_id}/decision", summary="Publish or reject a review", responses=NO_REVIEW | CHANGED
)
@policy(allow("admin", traffic="write"))
async def decide_review(
    request: Request, review_id: ReviewId, body: Annotated[DecisionRequest, JsonBody(EXAMPLE_DECISION)]
) -> ModeratedReview:
    """Publish or reject a review, whatever was decided before. Its reports and flags are forgotten then.

    The author of a rejected review reads the reason and the note, and may write it anew.
    """
    async with transaction(request, NAME, review_id) as tx:
        review = await store.lock_review(tx, review_id, lambda it: it.status != "withdrawn")
        unchanged = review.version == body.version
        require(unchanged, CHANGED_REVIEW(review_id=review_id, version=review.version))
        await store.delete_reports(tx, review_id)
        after = replace(review.decided(body.status, tx.now, body.reason, body.note or None), reports=0)
        if body.status == "published":
            after = replace(after, flags=[])
        if (body.status, body.reason) == (review.status, review.reason):
            after = replace(after, decided_at=review.decided_at)
            await store.save_review(tx, after)
        else:
            await store.save_decided(tx, after, MODERATOR)
    return after


@internal.post("/reviews/exports")
@policy(PLATFORM)
async def export_reviews(request: Request, body: Annotated[ExportRequest, JsonBody()]) -> ReviewExport:
    """All reviews, votes and reports of a person."""
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_own(sql, body.shopper_ids, Position(), MAX_EXPORTED)
        return {
            "reviews": [narrowed(OwnReview, review) for review in rows],
            "helpful_reviews": await store.find_votes(sql, body.shopper_ids),
            "reported_reviews": await store.find_reports(sql, body.shopper_ids),
        }


router = APIRouter()
router.include_router(public)
router.include_router(internal)


def _page(
    rows: Sequence[ModeratedReview], limit: int, view: type[Shown], by_votes: bool = False
) -> tuple[list[Shown], str | None]:
    """Return the first `limit` of the rows as somebody sees them, and the cursor of the others."""
    shown, next_cursor = cut_page(
        rows, limit, lambda it: Position(it.submitted_at, it.review_id, it.helpful if by_votes else 0)
    )
    return [narrowed(view, review) for review in shown], next_cursor


def _is_own(review: ModeratedReview, principal: Principal) -> bool:
    """Return whether the sender may change a review: it is theirs, or they are a process of the platform."""
    return "platform" in principal.roles or review.shopper_id in principal.shopper_ids


async def _is_related(request: Request, seller_id: str, since: str) -> bool:
    """Return whether the sender is close to a seller: users says it, and nothing is stored.

    Raises:
        ServiceNotReady: the users service does not answer.
    """
    principal = principal_of(request)
    if "platform" in principal.roles:
        return False
    path = f"/v1/people/{principal.subject}/relations"
    answer = await context(request, NAME).ask("users", path, {"seller_id": seller_id, "since": since})
    return bool(answer["is_related"])


async def _write(
    request: Request,
    order_id: str,
    line_number: int,
    author: str,
    text: ReviewText,
    *,
    replaces: bool = False,
) -> OwnReview:
    """Save the next version of an author's review of a line of theirs, and emit what happens with it.

    Raises:
        UNKNOWN_LINE: there is none, it is somebody else's, or the author was erased a moment ago.
        NOT_DELIVERED: it has not arrived yet.
        ALREADY_REVIEWED: it has a review, which this one does not replace.
    """
    unknown = UNKNOWN_LINE(order_id=order_id, line_number=line_number)
    async with transactions(request, NAME).connection() as sql:
        shopper_ids = (author, *principal_of(request).shopper_ids)
        line = require(await store.find_line(sql, order_id, line_number, shopper_ids), unknown)
    require(line.delivered_at, NOT_DELIVERED(order_id=order_id, line_number=line_number))
    is_related = await _is_related(request, line.seller_id, line.placed_at.isoformat())
    async with transaction(request, NAME, order_id) as tx:
        await store.lock_shopper(tx, author)
        require(not await store.is_erased(tx, author), unknown)
        before = await store.lock_review_of_line(tx, order_id, line_number)
        if before is not None and before.status in ("pending", "published") and not replaces:
            raise ALREADY_REVIEWED(order_id=order_id, line_number=line_number, review_id=before.review_id)
        if before is not None:
            before = await store.take_back(tx, before, tx.now)
        review_id = before.review_id if before else new_id()
        others = await store.find_comments(tx, author, review_id)
        recent = sum(other["submitted_at"] > tx.now - FLOOD_PERIOD for other in others)
        flags = find_flags(text, recent, [other["comment"] or "" for other in others], is_related, before)
        review = next_version(
            before,
            flags,
            before.next_moment(tx.now) if before else tx.now,
            review_id=review_id,
            source_id=None,
            order_id=order_id,
            line_number=line_number,
            shopper_id=author,
            product_id=line.product_id,
            seller_id=line.seller_id,
            **text.written,
        )
        submitted_at = review.submitted_at
        tx.emit("review_submitted", **review.subject, occurred_at=submitted_at, title=None, comment=None)
        await (store.save_review if flags else store.save_decided)(tx, review)
    return narrowed(OwnReview, review)


async def _save_opinion(request: Request, review_id: str, reason: str | None) -> None:
    """Save a vote or, with a reason, a report. Enough reports put the review into the queue.

    Raises:
        UNKNOWN_REVIEW: there is no such published review, or the sender was erased a moment ago.
        OWN_REVIEW: the sender has written it.
    """
    principal = principal_of(request)
    shopper_id = str(principal.shopper_id)
    async with transaction(request, NAME, review_id) as tx:
        await store.lock_shopper(tx, shopper_id)
        require(not await store.is_erased(tx, shopper_id), UNKNOWN_REVIEW(review_id=review_id))
        review = await store.lock_review(tx, review_id, lambda it: it.status == "published")
        require(review.shopper_id not in principal.shopper_ids, OWN_REVIEW())
        await store.save_opinion(tx, review, shopper_id, reason)
        counted = await store.find_review(tx.sql, review_id)
        if counted is not None and counted.reports >= REPORTS_TO_REOPEN and not counted.is_queued:
            await store.save_review(tx, replace(counted, is_queued=True, flags=["reported"]))
