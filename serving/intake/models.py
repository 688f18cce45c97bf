"""Turns an event's Avro schema into the model that checks what was sent. Pure."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    create_model,
)

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
def models() -> dict[str, type[BaseModel]]:
    """Event name → its model. A model's fields are the schema's; it takes no others."""
    return {name: model_of(all_events()[name]) for name in BROWSING}


def model_of(event: Event) -> type[BaseModel]:
    """The model of an event as sent: without `event_id` it gets a new one, without `occurred_at` now."""
    fields = {field["name"]: field for field in event.fields}
    given: dict[str, Any] = {
        "event": (Literal[event.name], Field(description="What happened.")),
        "event_id": (_Uuid | None, Field(None, description=fields["event_id"]["doc"])),
        "occurred_at": (_Moment | None, Field(None, description=fields["occurred_at"]["doc"])),
    }
    rest = [field for field in event.fields if field["name"] not in given]
    return _model(event.name, rest, given)


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("needs a time zone, such as 2026-01-31T12:00:00Z")
    return moment


_Uuid = Annotated[str, Field(pattern=UUID)]
_Moment = Annotated[datetime, AfterValidator(_with_zone)]


def _model(name: str, fields: list[dict[str, Any]], given: dict[str, Any]) -> type[BaseModel]:
    definitions: dict[str, Any] = given | {field["name"]: _field(field) for field in fields}
    # `model_version` is a field of ours, not of pydantic's.
    config = ConfigDict(extra="forbid", protected_namespaces=())
    return cast(type[BaseModel], create_model(name, __config__=config, **definitions))


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
            return Annotated[StrictFloat | StrictInt, Field(allow_inf_nan=False)]
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
            return _model(record, fields, {})
    raise TypeError(f"browsing events do not use the Avro type {avro!r}: see serving/intake/models.py")
