"""Turns an event's Avro schema into what checks an event that was sent. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    TypeAdapter,
    with_config,
)
from typing_extensions import TypedDict

from common.ids import PRINTABLE
from schemas.events import Event, all_events

BROWSING = (
    "product_viewed",
    "search_performed",
    "cart_changed",
    "recommendation_shown",
    "recommendation_clicked",
)
"""Events that come from outside; all others are a service's to tell."""

LONGEST_TEXT = {"query": 1_000}
"""Characters, where a field may be longer than `ID_LENGTH`."""

ID_LENGTH = 200
MOST_ENTRIES = 500
"""Entries of a list or a map."""

AT_LEAST = {"page_number": 1, "position": 1}
"""Smallest value of a whole number that may not be 0; none may be negative."""

INT_MAX, LONG_MAX = 2**31 - 1, 2**63 - 1

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


@cache
def validators() -> dict[str, Callable[[Any], dict[str, Any]]]:
    """Event name → what makes a record of an event as sent: the schema's fields, and none but these.

    `event_id` and `occurred_at` are None where they were left out. Each raises pydantic's `ValidationError`.
    """
    return {name: TypeAdapter(_sent(all_events()[name])).validator.validate_python for name in BROWSING}


def _sent(event: Event) -> Any:
    docs = {field["name"]: field["doc"] for field in event.fields}
    given: _Fields = {
        "event": (Literal[event.name], Field(description="What happened.")),
        "event_id": (_Uuid | None, Field(None, description=docs["event_id"])),
        "occurred_at": (_Moment | None, Field(None, description=docs["occurred_at"])),
    }
    return _record(
        event.name, given | _of_schema(field for field in event.fields if field["name"] not in given)
    )


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("needs a time zone, such as 2026-01-31T12:00:00Z")
    return moment


_Uuid = Annotated[str, Field(pattern=UUID)]
_Moment = Annotated[datetime, AfterValidator(_with_zone)]


_Fields = dict[str, tuple[Any, Any]]
"""Name → type and what pydantic has to know of it."""


def _record(name: str, fields: _Fields) -> Any:
    """A dictionary of these fields: it takes half the time of a model that is dumped."""
    made = TypedDict(name, {field: Annotated[each] for field, each in fields.items()})  # type: ignore[misc]
    return with_config(ConfigDict(extra="forbid"))(made)


def _of_schema(fields: Iterable[dict[str, Any]]) -> _Fields:
    return {field["name"]: _field(field) for field in fields}


def _field(field: dict[str, Any]) -> tuple[Any, Any]:
    """A field's type, and what it is where it was not sent; an enumeration has a value for that."""
    avro = field["type"]
    default = field.get("default", avro.get("default", ...) if isinstance(avro, dict) else ...)
    return _type(avro, field["name"]), Field(default, description=field["doc"])


def _type(avro: Any, name: str) -> Any:
    match avro:
        case "string":
            longest = LONGEST_TEXT.get(name)
            shortest = 0 if longest else 1
            return Annotated[
                str, Field(min_length=shortest, max_length=longest or ID_LENGTH, pattern=PRINTABLE)
            ]
        case "int" | "long":
            most = INT_MAX if avro == "int" else LONG_MAX
            return Annotated[StrictInt, Field(ge=AT_LEAST.get(name, 0), le=most)]
        case "double":
            return Annotated[StrictFloat, Field(allow_inf_nan=False)] | StrictInt
        case "boolean":
            return StrictBool
        case ["null", inner]:
            return _type(inner, name) | None
        case {"type": "enum", "symbols": symbols}:
            return Literal[tuple(symbols)]
        case {"type": "array", "items": items}:
            return Annotated[list[_type(items, name)], Field(max_length=MOST_ENTRIES)]  # type: ignore[misc]
        case {"type": "map", "values": values}:
            key = Annotated[str, Field(max_length=ID_LENGTH)]
            return Annotated[dict[key, _type(values, name)], Field(max_length=MOST_ENTRIES)]  # type: ignore[misc]
        case {"type": "record", "name": record, "fields": fields}:
            return _record(record, _of_schema(fields))
    raise TypeError(f"browsing events do not use the Avro type {avro!r}: see serving/intake/models.py")
