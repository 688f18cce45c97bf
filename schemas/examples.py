"""The examples of each event: `schemas/examples/<event>/*.json`, timestamps written as ISO 8601."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.codec import Record
from schemas.events import Event

EXAMPLES_DIR = Path(__file__).resolve().parent / "examples"


def examples(event: Event) -> dict[str, Record]:
    """Example name → record with aware datetimes, ready to be encoded.

    Examples of earlier versions of a schema stay: a reader of today must still understand them.
    """
    paths = sorted((EXAMPLES_DIR / event.name).glob("*.json"))
    return {path.stem: _typed(json.loads(path.read_text(encoding="utf-8")), event.schema) for path in paths}


def _typed(value: Any, type_: Any) -> Any:
    """The JSON value as the Avro type wants it: only timestamps differ."""
    if isinstance(type_, list):
        return None if value is None else _typed(value, next(t for t in type_ if t != "null"))
    if not isinstance(type_, dict):
        return value
    if type_.get("logicalType") == "timestamp-millis":
        return datetime.fromisoformat(value).astimezone(UTC)
    if type_["type"] == "record":
        known = {field["name"]: field["type"] for field in type_["fields"]}
        return {name: _typed(part, known.get(name, "string")) for name, part in value.items()}
    if type_["type"] == "array":
        return [_typed(part, type_["items"]) for part in value]
    return value
