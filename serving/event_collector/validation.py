"""Validates one event from a client, and returns its record with all fields of the schema. Pure."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from common.ids import CART_PREFIX
from common.problems import Problem, problem
from serving.event_collector.validators import BROWSING, validators

MAX_CLOCK_SKEW = timedelta(minutes=1)
"""How far a client's clock may be ahead of the server's."""

MAX_EVENT_AGE = timedelta(days=30)
"""The retention of browsing events in Kafka (schemas/topics.py)."""


class BadEvent(Problem):
    """An event can't be accepted. The message says which field is wrong and how."""

    status, kind, title = 422, "bad-event", "This event can't be used"


UNKNOWN_EVENT = problem(422, "unknown-event", "This is not a browsing event", "{detail}", error=BadEvent)
BAD_EVENT_TIME = problem(
    422, "bad-event-time", "The time of this event is invalid", "{detail}", error=BadEvent
)
"""The time of an event is in the future, or too long ago."""

OTHER_VISITOR = problem(403, "other-visitor", "This is another visitor", "{detail}", error=BadEvent)
"""The event tells of a visitor other than its sender."""

OWN_CART = problem(403, "own-cart", "This is a cart of this shop", "{detail}", error=BadEvent)
"""The event tells of a cart of this shop, whose changes the service carts reports itself."""

EVENT_TOO_LARGE = problem(413, "event-too-large", "This event is too large", "{detail}", error=BadEvent)
"""The encoded event exceeds Kafka's limit."""


@dataclass(frozen=True, slots=True)
class ValidEvent:
    """A valid event: its name, and its record with every field of the schema."""

    event: str
    record: dict[str, Any]


def validate_event(sent: Any, now: datetime, new_id: Callable[[], str]) -> ValidEvent:
    """Validate one entry of `events`.

    Raises:
        BadEvent: it is not a browsing event, a field is wrong, its time is in the future or too old, or it
            tells of a cart of this shop.
    """
    if not isinstance(sent, dict):
        raise BadEvent("not an object with the fields of an event")
    name = sent.get("event")
    validate = validators().get(name) if isinstance(name, str) else None
    if validate is None:
        raise UNKNOWN_EVENT(
            detail=f"event: {_shown(name)} is not a browsing event; send {', '.join(BROWSING)}"
        )
    try:
        record = validate(sent)
    except ValidationError as error:
        raise BadEvent("; ".join(_problems(error))) from error
    if str(record.get("cart_id", "")).startswith(CART_PREFIX):
        raise OWN_CART(
            detail=f"cart_id: {_shown(record['cart_id'])} is a cart of this shop, which reports its changes "
            "itself. Change it at /v1/cart, and send no event"
        )
    del record["event"]
    record["event_id"] = record["event_id"] or new_id()
    record["occurred_at"] = _event_time(record["occurred_at"], now)
    return ValidEvent(str(name), record)


def check_visitor(event: ValidEvent, visitor_ids: Set[str]) -> None:
    """Check that an event tells of these sessions and shoppers only.

    Raises:
        OTHER_VISITOR: it tells of another one.
    """
    for field in ("session_id", "shopper_id"):
        visitor = event.record.get(field)
        if visitor is not None and visitor not in visitor_ids:
            raise OTHER_VISITOR(
                detail=f"{field}: send only events of your own session, not of {_shown(visitor)}"
            )


def is_about_own_offer(event: ValidEvent, seller_ids: Set[str]) -> bool:
    """Return whether an event is about an offer of one of these sellers, for which its sender works.

    Otherwise a seller's staff could make its products look popular. Only events that name a seller are known
    to be about one.
    """
    return event.record.get("seller_id") in seller_ids


def _event_time(moment: datetime | None, now: datetime) -> datetime:
    if moment is None:
        return now
    if moment > now + MAX_CLOCK_SKEW:
        raise BAD_EVENT_TIME(
            detail=f"occurred_at: {moment.isoformat()} is in the future; it is {now.isoformat()} now"
        )
    if moment < now - MAX_EVENT_AGE:
        raise BAD_EVENT_TIME(
            detail=f"occurred_at: {moment.isoformat()} is more than {MAX_EVENT_AGE.days} days ago"
        )
    return moment


def _problems(error: ValidationError, most: int = 3) -> list[str]:
    errors = error.errors(include_url=False, include_context=False)
    texts = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in errors[:most]]
    return texts if len(errors) <= most else [*texts, f"and {len(errors) - most} more"]


def _shown(name: object) -> str:
    return "nothing" if name is None else repr(name)[:80]
