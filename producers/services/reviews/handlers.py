"""Handles the events of orders and carriers, and of reviews that producers elsewhere have sent.

Reviews of a history, an import or another system have no header `origin`. They are published as they come, at
the time at which they were written, unless their producer decides otherwise.
"""

from dataclasses import replace
from datetime import datetime

from common.clock import to_millis
from common.errors import Rejected
from common.ids import derived_event_id, is_uuid7
from producers.kit.inbox.subscription import Handler, Subscription, any_key
from producers.kit.outbox.transaction import Transaction
from producers.services.reviews import store
from producers.services.reviews.model import ModeratedReview, Status, clean_text, next_version
from schemas.codec import Record


async def save_lines(tx: Transaction, event: Record) -> None:
    """`order_placed`: keep its lines."""
    await store.save_lines(tx, event)


async def save_delivery(tx: Transaction, event: Record) -> None:
    """`order_delivered`: the lines of this seller may be reviewed."""
    await store.save_delivery(tx, event["order_id"], event["seller_id"], event["occurred_at"])


async def save_submission(tx: Transaction, event: Record) -> None:
    """`review_submitted` of a producer: publish it. An older version than the saved one changes nothing.

    Raises:
        Rejected: the score is not 1 to 5.
    """
    if not 1 <= event["score"] <= 5:
        raise Rejected(f"review {event['review_id']} has the score {event['score']}: it must be from 1 to 5")
    await store.lock(tx, event["order_id"])
    before = await store.lock_source(tx, event["review_id"], event["order_id"])
    submitted_at: datetime = event["occurred_at"]
    if before is not None:
        if submitted_at <= before.submitted_at:
            return
        if before.status == "published":
            await store.save_decided(tx, replace(before, status="withdrawn", decided_at=submitted_at))
    review = _published(event, before)
    if await store.find_erased(tx, review.shopper_id) is not None:
        review = replace(review, title=None, comment=None)
    await store.save_decided(tx, review)
    await _apply_decision(tx, review)


def save_decision(status: Status) -> Handler:
    """Return the handler of a producer's decision about a review that it has sent."""

    async def handle(tx: Transaction, event: Record) -> None:
        """`review_published`, `review_rejected`, `review_withdrawn` of a producer: apply it to its review.

        It may arrive before the review, so it is saved, too.
        """
        await store.lock(tx, event["order_id"])
        source_id, order_id = event["review_id"], event["order_id"]
        reason = event["reason"] if status == "rejected" else None
        await store.save_decision(tx, source_id, order_id, status, reason, event["occurred_at"])
        review = await store.lock_source(tx, source_id, order_id)
        if review is not None:
            await _apply_decision(tx, review)

    return handle


async def erase_shopper(tx: Transaction, event: Record) -> None:
    """`shopper_erased`: erase the texts, votes and reports of the shopper."""
    await store.lock(tx, event["shopper_id"])
    await store.erase_shopper(tx, event["shopper_id"])


async def _apply_decision(tx: Transaction, review: ModeratedReview) -> None:
    """Apply what its producer has decided about a review, unless that is older than a decision made here."""
    decision = await store.find_decision(tx, review)
    if decision is None or decision["status"] == review.status:
        return
    after = replace(
        review, is_queued=False, **{**decision, "decided_at": review.next_moment(decision["decided_at"])}
    )
    await store.save_decided(tx, after)


def _published(event: Record, before: ModeratedReview | None) -> ModeratedReview:
    """Return a review as a producer has sent it, or its next version."""
    submitted_at: datetime = event["occurred_at"]
    title, comment = (clean_text(event[name] or "") or None for name in ("title", "comment"))
    return next_version(
        before,
        (),
        submitted_at,
        review_id=before.review_id
        if before
        else derived_event_id(to_millis(submitted_at), "review", event["review_id"], event["order_id"]),
        source_id=event["review_id"],
        order_id=event["order_id"],
        line_number=event["line_number"],
        shopper_id=event["shopper_id"],
        product_id=event["product_id"],
        seller_id=event["seller_id"],
        score=event["score"],
        title=title,
        comment=comment,
    )


SUBSCRIPTIONS = (
    Subscription("order_placed", save_lines, batchable=True),
    Subscription("order_delivered", save_delivery, external_key=is_uuid7, batchable=True),
    Subscription("shopper_erased", erase_shopper),
    Subscription("review_submitted", save_submission, external_key=any_key, skips_own=True, batchable=True),
    *(
        Subscription(f"review_{status}", save_decision(status), external_key=any_key, skips_own=True)
        for status in ("published", "rejected", "withdrawn")
    ),
)
