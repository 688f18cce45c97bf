"""Checks whether two versions of a schema can read each other's events (FULL), field by field."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import ArraySchema, Field, MapSchema, RecordSchema, Schema, UnionSchema

DEFAULT_ADVICE = 'give it a "default" (with "null" as the first type of a union, null)'


@dataclass(frozen=True)
class Incompatibility:
    """One reason why two versions are incompatible. `field` is a path such as `lines.quantity`."""

    field: str
    why: str
    advice: str


def find_incompatibilities(old: Any, new: Any) -> list[Incompatibility]:
    """Return why new readers can't read old events, or the reverse; empty if both can.

    `old` and `new` are schemas as parsed JSON. The rules are those of Avro's schema resolution, implemented
    by the Apache Avro library. A changed logicalType is incompatible too, because it changes the meaning of
    the same number. Fields are matched by name and alias.
    """
    older, newer = (avro.schema.parse(json.dumps(schema)) for schema in (old, new))
    found = [*_compare(newer, older, "", "new readers can't read old events"),
             *_compare(older, newer, "", "old readers can't read new events")]  # fmt: skip
    by_field: dict[str, Incompatibility] = {}
    for incompatibility in found:
        by_field.setdefault(incompatibility.field, incompatibility)
    return list(by_field.values())


def _compare(reader: Schema, writer: Schema, path: str, direction: str) -> Iterator[Incompatibility]:
    if isinstance(reader, RecordSchema) and isinstance(writer, RecordSchema) and _same_name(reader, writer):
        for field in reader.fields:
            yield from _compare_field(field, writer, f"{path}.{field.name}".lstrip("."), direction)
    elif isinstance(reader, ArraySchema) and isinstance(writer, ArraySchema):
        yield from _compare(reader.items, writer.items, path, direction)
    elif isinstance(reader, MapSchema) and isinstance(writer, MapSchema):
        yield from _compare(reader.values, writer.values, path, direction)
    elif (pair := _nullable_types(reader, writer)) is not None:
        yield from _compare(*pair, path, direction)
    else:
        yield from _compare_types(reader, writer, path, direction)


def _compare_field(
    field: Field, writer: RecordSchema, path: str, direction: str
) -> Iterator[Incompatibility]:
    names = [field.name, *_aliases(field)]
    written = next((writer.fields_dict[name] for name in names if name in writer.fields_dict), None)
    if written is not None:
        yield from _compare(field.type, written.type, path, direction)
    elif not field.has_default and direction.startswith("new"):
        yield Incompatibility(path, f"it was added without a default: {direction}", DEFAULT_ADVICE)
    elif not field.has_default:
        yield Incompatibility(
            path,
            f"it was removed, and had no default: {direction}",
            "put it back: only a field that always had a default can be removed",
        )


def _compare_types(reader: Schema, writer: Schema, path: str, direction: str) -> Iterator[Incompatibility]:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # the library has no annotation
    result = checker.get_compatibility(reader, writer)
    if result.compatibility is not SchemaCompatibilityType.compatible:
        detail = "; ".join(sorted(result.messages)) or "the types differ"
        kinds = {kind.value for kind in result.incompatibilities}
        if "missing_enum_symbols" in kinds:
            why, advice = f"the symbols {detail} are unknown on one side", 'give the enum a "default" symbol'
        else:
            why, advice = f"its type changed ({detail})", "put the type back, and add a new field beside it"
        yield Incompatibility(path or "the record itself", f"{why}: {direction}", advice)
    elif _logical(reader) != _logical(writer):
        yield Incompatibility(
            path,
            f"its logicalType changed from {_logical(writer)} to {_logical(reader)}: its meaning changes",
            "put it back, and add a new field beside it",
        )


def _nullable_types(reader: Schema, writer: Schema) -> tuple[Schema, Schema] | None:
    """Return the types beside null of two unions of null and one type; None for all other schemas."""
    pair = []
    for schema in (reader, writer):
        if not isinstance(schema, UnionSchema):
            return None
        others = [branch for branch in schema.schemas if branch.type != "null"]
        if len(others) != 1 or len(schema.schemas) != 2:
            return None
        pair.append(others[0])
    return pair[0], pair[1]


def _same_name(reader: RecordSchema, writer: RecordSchema) -> bool:
    return reader.name == writer.name or writer.fullname in _aliases(reader)


def _logical(schema: Schema) -> str | None:
    return getattr(schema, "logical_type", None)


def _aliases(named: RecordSchema | Field) -> list[str]:
    aliases = named.props.get("aliases", [])
    return list(aliases) if isinstance(aliases, list) else []
