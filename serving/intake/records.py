"""One sent event, checked: the record that its schema describes, or what is wrong with it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from common.problems import Problem
from serving.intake.models import BROWSING, validators

AHEAD = timedelta(minutes=1)
"""How far a sender's clock may be ahead of ours."""

OLDEST = timedelta(days=30)
"""As long as Kafka keeps browsing events (schemas/topics.py)."""

NewId = Callable[[], str]


class BadEvent(Problem):
    """An event can't be taken; the message says which field is wrong and how."""

    status, kind, title = 422, "bad-event", "This event can't be used"


class UnknownEvent(BadEvent):
    """Its name is none that is taken from outside."""

    status, kind, title = 422, "unknown-event", "This is not a browsing event"


class BadEventTime(BadEvent):
    """It happened in the future, or too long ago."""

    status, kind, title = 422, "bad-event-time", "This event's time can't be"


class EventTooLarge(BadEvent):
    """It is longer than Kafka takes."""

    status, kind, title = 413, "event-too-large", "This event is too large"


@dataclass(frozen=True, slots=True)
class Checked:
    """An event that can be taken: its name, and its record with every field of the schema."""

    event: str
    record: dict[str, Any]


def check(sent: Any, now: datetime, new_id: NewId) -> Checked:
    """Check one entry of `events`.

    Raises:
        BadEvent: it is no browsing event, a field is wrong, or it happened in the future or too long ago.
    """
    if not isinstance(sent, dict):
        raise BadEvent("not an object with the fields of an event")
    name = sent.get("event")
    validate = validators().get(name) if isinstance(name, str) else None
    if validate is None:
        raise UnknownEvent(f"event: {_shown(name)} is not a browsing event; those are {', '.join(BROWSING)}")
    try:
        record = validate(sent)
    except ValidationError as error:
        raise BadEvent("; ".join(_problems(error))) from error
    del record["event"]
    record["event_id"] = record["event_id"] or new_id()
    record["occurred_at"] = _when(record["occurred_at"], now)
    return Checked(str(name), record)


def _when(moment: datetime | None, now: datetime) -> datetime:
    if moment is None:
        return now
    if moment > now + AHEAD:
        raise BadEventTime(f"occurred_at: {moment.isoformat()} is in the future; it is {now.isoformat()} now")
    if moment < now - OLDEST:
        raise BadEventTime(f"occurred_at: {moment.isoformat()} is more than {OLDEST.days} days ago")
    return moment


def _problems(error: ValidationError, most: int = 3) -> list[str]:
    found = error.errors(include_url=False, include_context=False)
    said = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found[:most]]
    return said if len(found) <= most else [*said, f"and {len(found) - most} more"]


def _shown(name: object) -> str:
    return "nothing" if name is None else repr(name)[:80]
