"""Whether two versions of a schema can read each other's events (FULL), and if not which field and why."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import ArraySchema, Field, MapSchema, RecordSchema, Schema, UnionSchema

DEFAULT_ADVICE = 'give it a "default" (with "null" as the first type of a union, null)'


@dataclass(frozen=True)
class Break:
    """One reason why two versions don't understand each other. `field` is a path such as `lines.quantity`."""

    field: str
    why: str
    advice: str


def breaks(old: Any, new: Any) -> list[Break]:
    """What stops new readers from old events, or old readers from new ones; empty when nothing does.

    `old` and `new` are schemas as parsed JSON. The rules are those of Avro's schema resolution, as the
    Apache Avro library judges them; beyond them a changed logicalType is a break, as it changes what the
    same number means. Field names are matched by name and alias.
    """
    older, newer = (avro.schema.parse(json.dumps(schema)) for schema in (old, new))
    found = [*_between(newer, older, "", "new readers can't read old events"),
             *_between(older, newer, "", "old readers can't read new events")]  # fmt: skip
    first: dict[str, Break] = {}
    for one in found:
        first.setdefault(one.field, one)
    return list(first.values())


def _between(reader: Schema, writer: Schema, path: str, who: str) -> Iterator[Break]:
    if isinstance(reader, RecordSchema) and isinstance(writer, RecordSchema) and _same_name(reader, writer):
        for field in reader.fields:
            yield from _field(field, writer, f"{path}.{field.name}".lstrip("."), who)
    elif isinstance(reader, ArraySchema) and isinstance(writer, ArraySchema):
        yield from _between(reader.items, writer.items, path, who)
    elif isinstance(reader, MapSchema) and isinstance(writer, MapSchema):
        yield from _between(reader.values, writer.values, path, who)
    elif (pair := _nullable_pair(reader, writer)) is not None:
        yield from _between(*pair, path, who)
    else:
        yield from _types(reader, writer, path, who)


def _field(field: Field, writer: RecordSchema, path: str, who: str) -> Iterator[Break]:
    names = [field.name, *_aliases(field)]
    written = next((writer.fields_dict[name] for name in names if name in writer.fields_dict), None)
    if written is not None:
        yield from _between(field.type, written.type, path, who)
    elif not field.has_default and who.startswith("new"):
        yield Break(path, f"it was added without a default: {who}", DEFAULT_ADVICE)
    elif not field.has_default:
        yield Break(
            path,
            f"it was removed, and had no default: {who}",
            "put it back; only a field that always had a default can go",
        )


def _types(reader: Schema, writer: Schema, path: str, who: str) -> Iterator[Break]:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # the library's own gap
    result = checker.get_compatibility(reader, writer)
    if result.compatibility is not SchemaCompatibilityType.compatible:
        detail = "; ".join(sorted(result.messages)) or "the types differ"
        kinds = {kind.value for kind in result.incompatibilities}
        if "missing_enum_symbols" in kinds:
            why, advice = f"the symbols {detail} are unknown on one side", 'give the enum a "default" symbol'
        else:
            why, advice = f"its type changed ({detail})", "put the type back, and add a new field beside it"
        yield Break(path or "the record itself", f"{why}: {who}", advice)
    elif _logical(reader) != _logical(writer):
        yield Break(
            path,
            f"its logicalType changed from {_logical(writer)} to {_logical(reader)}: it means another thing",
            "put it back, and add a new field beside it",
        )


def _nullable_pair(reader: Schema, writer: Schema) -> tuple[Schema, Schema] | None:
    """What two unions of null and one other type hold beside null."""
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
