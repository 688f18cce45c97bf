"""Handles the events of orders and carriers, and of reviews that producers elsewhere have sent.

Reviews of a history, an import or another system have no header `origin`. They are published as they come, at
the time at which they were written, unless their producer decides otherwise.
"""

from common.clock import to_millis
from common.errors import Rejected
from common.ids import derived_event_id, is_uuid7
from producers.kit.inbox.subscription import Handler, Subscription, any_key
from producers.kit.outbox.transaction import Transaction
from producers.kit.text import clean_text
from producers.services.reviews import store
from producers.services.reviews.model import ModeratedReview, Status, next_version
from schemas.codec import Record

_SUBJECT = ("order_id", "line_number", "shopper_id", "product_id", "seller_id", "score")


async def save_lines(tx: Transaction, event: Record) -> None:
    """`order_confirmed`: keep its lines. What was not paid for can't be reviewed."""
    await store.save_lines(tx, event, event["lines"])


async def save_cancellation(tx: Transaction, event: Record) -> None:
    """`order_cancelled`: nothing of it can be reviewed, whatever a carrier says."""
    await store.save_cancellation(tx, event["order_id"])


async def save_delivery(tx: Transaction, event: Record) -> None:
    """`order_delivered`: the lines of this seller may be reviewed."""
    await store.save_delivery(tx, event)


async def save_submission(tx: Transaction, event: Record) -> None:
    """`review_submitted` of a producer: publish it. An older version than the saved one changes nothing.

    Raises:
        Rejected: the score is not 1 to 5.
    """
    if not 1 <= event["score"] <= 5:
        raise Rejected(f"review {event['review_id']} has the score {event['score']}: it must be from 1 to 5")
    source_id, order_id, at = event["review_id"], event["order_id"], event["occurred_at"]
    await store.lock_order(tx, event)
    before = await store.lock_source(tx, source_id, order_id)
    if before is not None:
        if at <= before.submitted_at:
            return
        await store.take_back(tx, before, at)
    hidden = await store.is_erased(tx, event["shopper_id"])
    review = next_version(
        before,
        (),
        at,
        review_id=before.review_id
        if before
        else derived_event_id(to_millis(at), "review", source_id, order_id),
        source_id=source_id,
        **{name: None if hidden else clean_text(event[name] or "") or None for name in ("title", "comment")},
        **{name: event[name] for name in _SUBJECT},
    )
    await store.save_decided(tx, review)
    await _apply_decision(tx, review)


def save_decision(status: Status) -> Handler:
    """Return the handler of a producer's decision about a review that it has sent."""

    async def handle(tx: Transaction, event: Record) -> None:
        """`review_published`, `review_rejected`, `review_withdrawn` of a producer: apply it to its review.

        It may arrive before the review, so it is saved, too.
        """
        source_id, order_id = event["review_id"], event["order_id"]
        await store.lock_order(tx, event)
        reason = event["reason"] if status == "rejected" else None
        await store.save_decision(tx, source_id, order_id, status, reason, event["occurred_at"])
        review = await store.lock_source(tx, source_id, order_id)
        if review is not None:
            await _apply_decision(tx, review)

    return handle


async def erase_shopper(tx: Transaction, event: Record) -> None:
    """`shopper_erased`: erase the texts, votes and reports of the shopper; what waits is never published."""
    await store.lock_shopper(tx, event["shopper_id"])
    await store.erase_shopper(tx, event["shopper_id"])
    for review in await store.find_pending(tx, event["shopper_id"]):
        await store.save_decided(tx, review.decided("withdrawn", tx.now))


async def _apply_decision(tx: Transaction, review: ModeratedReview) -> None:
    """Apply what its producer has decided about a review, unless that is older than a decision made here."""
    decision = await store.find_decision(tx, review)
    if decision is None or decision["status"] == review.status:
        return
    status, reason, at = decision["status"], decision["reason"], decision["decided_at"]
    await store.save_decided(tx, review.decided(status, at, reason))


SUBSCRIPTIONS = (
    Subscription("order_confirmed", save_lines, batchable=True),
    Subscription("order_cancelled", save_cancellation, batchable=True),
    Subscription("order_delivered", save_delivery, external_key=is_uuid7, batchable=True),
    Subscription("shopper_erased", erase_shopper),
    Subscription("review_submitted", save_submission, external_key=any_key, skips_own=True, batchable=True),
    *(
        Subscription(f"review_{status}", save_decision(status), external_key=any_key, skips_own=True)
        for status in ("published", "rejected", "withdrawn")
    ),
)
