"""The event schemas as Python values: one `EventSchema` per file of `schemas/events/`."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fastavro

from common.errors import UserError
from schemas.topics import EVENT_TOPICS, Topic

EVENTS_DIR = Path(__file__).resolve().parent / "events"


@dataclass(frozen=True)
class EventSchema:
    """One event: its schema as JSON text, as parsed JSON and as parsed by fastavro, and its topic."""

    name: str
    text: str
    schema: dict[str, Any]
    parsed: Any
    topic: Topic

    @property
    def subject(self) -> str:
        """The name of the schema in the registry (Confluent's TopicNameStrategy)."""
        return f"{self.name}-value"

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The fields of the record in order, each with `name`, `type`, `doc` and optionally `default`."""
        return list(self.schema["fields"])

    @property
    def key(self) -> str:
        """The field by which the topic is partitioned."""
        return self.topic.key


@cache
def all_events() -> dict[str, EventSchema]:
    """Return every event by name, in the order of the topic list.

    Raises:
        UserError: a schema file is missing, is not Avro, or has another name than its record or topic.
    """
    on_disk = {path.stem for path in EVENTS_DIR.glob("*.avsc")}
    listed = {topic.name for topic in EVENT_TOPICS}
    if on_disk != listed:
        either = ", ".join(sorted(on_disk ^ listed))
        raise UserError(f"schemas/events/ and schemas/topics.py disagree about {either}: an event needs both")
    return {topic.name: _load(topic) for topic in EVENT_TOPICS}


@cache
def order_events() -> dict[str, EventSchema]:
    """Return the events of an order's chain by name: those whose key is the order's id.

    Raises:
        UserError: as `all_events`.
    """
    return {name: event for name, event in all_events().items() if event.key == "order_id"}


def _load(topic: Topic) -> EventSchema:
    path = EVENTS_DIR / f"{topic.name}.avsc"
    text = path.read_text(encoding="utf-8")
    try:
        schema = json.loads(text)
        parsed = fastavro.parse_schema(schema, named_schemas={})
    except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as error:
        raise UserError(f"{path.name} is not an Avro schema: {error}") from error
    except fastavro.schema.UnknownType as error:
        raise UserError(f"{path.name} uses the type {error}, which it does not define") from error
    if schema.get("name") != topic.name:
        raise UserError(f"{path.name} defines the record {schema.get('name')!r}: both need the same name")
    if topic.key not in {field["name"] for field in schema["fields"]}:
        raise UserError(f"{path.name} has no field {topic.key}, its key in schemas/topics.py")
    return EventSchema(topic.name, text, schema, parsed, topic)
