"""The examples of each event: `schemas/examples/<event>/*.json`, timestamps written as ISO 8601."""

import json
from datetime import UTC, datetime
from typing import Any

from common.settings import ROOT
from schemas.codec import Record
from schemas.events import EventSchema

EXAMPLES_DIR = ROOT / "schemas" / "examples"


def examples(event: EventSchema) -> dict[str, Record]:
    """Return example name → record with aware datetimes, ready to be encoded.

    They include examples of earlier schema versions, because current readers must still decode them.
    """
    paths = sorted((EXAMPLES_DIR / event.name).glob("*.json"))
    return {
        path.stem: _parse_timestamps(json.loads(path.read_text(encoding="utf-8")), event.schema)
        for path in paths
    }


def _parse_timestamps(value: Any, type_: Any) -> Any:
    """Return a JSON value with its timestamps as datetimes, as the Avro type requires."""
    if isinstance(type_, list):
        return None if value is None else _parse_timestamps(value, next(t for t in type_ if t != "null"))
    if not isinstance(type_, dict):
        return value
    if type_.get("logicalType") == "timestamp-millis":
        return datetime.fromisoformat(value).astimezone(UTC)
    if type_["type"] == "record":
        known = {field["name"]: field["type"] for field in type_["fields"]}
        return {name: _parse_timestamps(part, known.get(name, "string")) for name, part in value.items()}
    if type_["type"] == "array":
        return [_parse_timestamps(part, type_["items"]) for part in value]
    return value
