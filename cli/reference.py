"""The pages of reference: commands, settings, events, tables, and the views for analysts.

Each is made from what the code declares: the help of a command, the description of a setting, the `doc` of a
field of an event, the comment of a column.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.main import get_command

from cli.__main__ import COMMANDS, build
from clickhouse.analytics.catalogue import AnalyticsView, Column, declared_columns, read_views, unescaped
from clickhouse.databases import ANALYTICS
from clickhouse.metrics.definition import MetricDefinition, read_definitions
from common.configuration.definitions import DEFINITIONS
from common.settings import ROOT, Settings
from local.passwords import PASSWORDS
from schemas.events import EventSchema, all_events
from schemas.services import EXTERNAL, consumers_of, owner_of, takers_of

WIDTH = 100
"""Characters in a line of a command's help."""

COMMANDS_INTRODUCTION = """Each command has `--help`, which prints what this page says of it;
`./souk --version` prints the version. An error is one line. The exit code is 2 for a user's mistake, such as
an unknown option or an invalid query, and 1 for any other failure.

Before you update the checkout, run `./souk down`: running parts do not reload their code."""

SETTINGS_INTRODUCTION = """## When a process starts

Set these settings in the environment (`SOUK_PORT_OFFSET=100`) or in `souk.toml` beside `./souk`
(`port_offset = 100`). The environment has priority. A process reads them when it starts: after a change, run
`./souk up`. A part whose address is not set is started on this machine. Everything that `./souk` starts
listens on 127.0.0.1 only; `SOUK_LISTEN_HOST` changes this for Souk's own processes."""

RUNNING_INTRODUCTION = """## While the platform runs

Administrators change these settings with [`./souk settings`](commands.md#souk-settings) or on the page
`/admin/settings`. Each change has a reason, and every process knows it within about a second."""

EVENTS_INTRODUCTION = """An event is an Avro record of `schemas/events/`. Its topic in Kafka and its fact
table in ClickHouse have its name. A fact table has the fields as columns, and `ingested_at`: when ClickHouse
took the row. Job `facts` reads every event, and every process reads `setting_changed`; both are left out
below."""

TABLES_INTRODUCTION = """The fact tables are not listed: they have the fields of [the events](events.md).
[Architecture](architecture.md#clickhouse-database-settingsclickhouse_database-souk)
says how they are filled and what to know about them. [A diagram](diagrams/tables.md) shows which events feed
which table, and which queries read it. Analysts use [the views for people](data-dictionary.md)."""

DICTIONARY_INTRODUCTION = f"""The views of the database `{ANALYTICS}` are for people. Every event counts once without
`FINAL`, amounts are decimal numbers in units of the row's `currency` (`12.34` is R$12.34), times are UTC, and what is
unknown is `NULL`. Do not add up amounts of different currencies. Connect any ClickHouse client as the analyst, or use
`./souk sql`:

```sh
./souk sql "SELECT * FROM {ANALYTICS}.orders ORDER BY placed_at DESC LIMIT 5"
```

Each view and each column has its description as a comment in ClickHouse, too: `DESCRIBE TABLE {ANALYTICS}.orders`.
Sellers can query their own rows of the views that are marked **seller**.

A query is fast if it selects a seller (`sales`, `order_lines`, `products`), an order (`orders`, `shipments`,
`returns`, `reviews`, `payments`) or a session (`views`, `searches`, `recommendations`), because ClickHouse then reads
a few blocks only. A condition on the time leaves out other years. `sessions` always reads all events of visits."""  # noqa: E501

_TYPES: Mapping[Any, str] = {
    Path: "a path",
    str: "a text",
    SecretStr: "a secret text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a JSON object",
}
"""The type of a setting → what it takes."""

SCHEMA = ROOT / "clickhouse" / "schema.sql"
"""The tables that migrations create, as `python -m clickhouse.schema` writes them."""

_PAGE = re.compile(r"\bdocs/([\w/-]+\.md)")
_KEY = re.compile(r"^ORDER BY \(?([\w, ]+)\)?$", re.MULTILINE)
_CREATED = re.compile(r"^CREATE TABLE (\w+)\n(?:.+\n)+?COMMENT '(.+)';$", re.MULTILINE)


def commands() -> str:
    """Return a table of all commands, and the help of each."""
    found = [each for name in COMMANDS for each in _commands(name)]
    listed = [(f"[`./{path}`](#{path.replace(' ', '-')})", summary) for path, summary, _ in found]
    helps = [
        f"{'##' if path.count(' ') == 1 else '###'} {path}\n\n```text\n{text}\n```" for path, _, text in found
    ]
    return "\n\n".join([COMMANDS_INTRODUCTION, _table(("command", "what it does"), listed), *helps])


def _commands(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the path (`souk dlq list`), the summary and the help of a command and of those below it."""
    root: Any = get_command(build(name))
    yield from _helps(root.commands[name], root.context_class(root, info_name="souk"), name)


def _helps(command: Any, parent: Any, name: str) -> Iterator[tuple[str, str, str]]:
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH
    )
    summary = " ".join((command.help or "").partition("\n\n")[0].split()).rstrip(".")
    yield context.command_path, f"{summary[:1].upper()}{summary[1:]}.", command.get_help(context)
    for below, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            yield from _helps(each, context, below)


def settings() -> str:
    """Return a table of the settings of `Settings`, and one of those that change at run time."""
    at_start = [
        (f"`SOUK_{name.upper()}`", _taken(field), _default(name, field), _linked(field.description or ""))
        for name, field in Settings.model_fields.items()
    ]
    at_run_time = [
        (f"`{one.name}`", _linked(one.expected()), _code(one.default), one.description)
        for one in DEFINITIONS.values()
    ]
    titles = ("setting", "value", "default", "meaning")
    return "\n\n".join(
        [SETTINGS_INTRODUCTION, _table(titles, at_start), RUNNING_INTRODUCTION, _table(titles, at_run_time)]
    )


def _taken(field: FieldInfo) -> str:
    """Return which values a setting takes, such as `a whole number from 0 to 23`."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    kind = dict if get_origin(field.annotation) is dict else (kinds or [field.annotation])[0]
    bounds = {
        name: getattr(rule, name)
        for rule in field.metadata
        for name in ("ge", "gt", "le")
        if hasattr(rule, name)
    }
    match bounds:
        case {"ge": lowest, "le": highest}:
            return f"{_TYPES[kind]} from {lowest:,} to {highest:,}"
        case {"ge": lowest}:
            return f"{_TYPES[kind]} from {lowest:,} on"
        case {"gt": limit}:
            return f"{_TYPES[kind]} above {limit:,}"
    return _TYPES[kind]


def _default(name: str, field: FieldInfo) -> str:
    if name in PASSWORDS:
        return "generated at the first `./souk up`"
    value = field.default
    return _code(str(value.relative_to(ROOT)) if isinstance(value, Path) else value)


def _code(value: object) -> str:
    match value:
        case SecretStr() | "" | None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case list():
            return f"`{json.dumps(value)}`"
        case float() if value.is_integer():
            return f"`{value:.0f}`"
    return f"`{value}`"


def events() -> str:
    """Return a table of the events, and a section with the fields of each."""
    found = all_events().values()
    listed = [(f"[{event.name}](#{event.name})", event.schema["doc"]) for event in found]
    return "\n\n".join([EVENTS_INTRODUCTION, _table(("event", "what happened"), listed), *map(_event, found)])


def _emitters(event: str) -> str:
    """Return who emits an event. A room that reads its own event reads what others emit, too."""
    owner, others = owner_of(event), "other systems, the replay and the simulator"
    if owner == EXTERNAL:
        return others
    if owner in consumers_of(event):
        return f"`{owner}`, {others}"
    if takers := ", ".join(f"`{room}`" for room in takers_of(event)):
        return f"`{owner}`; about other shops: other systems through {takers}, the replay and the simulator"
    return f"`{owner}`"


def _event(event: EventSchema) -> str:
    topic = event.topic
    kept = "without limit" if topic.retention is None else f"for {topic.retention.days} days"
    if topic.compacted:
        kept = "until Kafka compacts them; the newest of each key stays"
    facts = {
        "Key": f"`{event.key}`",
        "Partitions": topic.partitions,
        "Kept in Kafka": kept,
        "Emitted by": _emitters(event.name),
        "Read by": ", ".join(f"`{room}`" for room in consumers_of(event.name)) or "no other room",
    }
    return "\n\n".join(
        [
            f"## {event.name}",
            event.schema["doc"],
            "\n".join(f"- {name}: {value}." for name, value in facts.items()),
            _table(("field", "type", "meaning"), _fields(event.fields)),
        ]
    )


def _fields(fields: Sequence[Mapping[str, Any]], above: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield a row for each field, and those of a list's records after it (`lines[].quantity`)."""
    for field in fields:
        name = f"{above}{field['name']}"
        yield f"`{name}`", _avro_type(field["type"]), field.get("doc", "")
        for branch in field["type"] if isinstance(field["type"], list) else [field["type"]]:
            match branch:
                case {"type": "array", "items": {"fields": below}}:
                    yield from _fields(below, f"{name}[].")


def _avro_type(avro: Any) -> str:
    if isinstance(avro, list):
        return " or ".join(_avro_type(branch) for branch in sorted(avro, key=lambda branch: branch == "null"))
    match avro:
        case {"logicalType": "timestamp-millis"}:
            return "time"
        case {"type": "enum", "symbols": symbols}:
            return " or ".join(f"`{symbol}`" for symbol in symbols)
        case {"type": "array", "items": items}:
            return f"list of {'records' if isinstance(items, dict) else _avro_type(items)}"
        case {"type": "map", "values": values}:
            return f"map of {_avro_type(values)}"
    return str(avro)


def tables() -> str:
    """Return a section for each table that is derived from facts, and for each table of the migrations."""
    metrics = [metric for _, metric in sorted(read_definitions().items())]
    others = [
        f"### {name}\n\n{unescaped(comment)}\n\n{_columns(statement[0])}"
        for statement in _CREATED.finditer(SCHEMA.read_text(encoding="utf-8"))
        for name, comment in [statement.groups()]
        if name not in all_events()
    ]
    parts = [
        TABLES_INTRODUCTION,
        "## Derived from facts",
        *(_metric(one) for one in metrics if not one.adds_up),
        "## Roll-ups",
        *(_metric(one) for one in metrics if one.adds_up),
        "## Other tables",
        *others,
    ]
    return "\n\n".join(parts)


def _metric(metric: MetricDefinition) -> str:
    feeding = ", ".join(f"`{name}`" for name in (*metric.sources, *sorted(metric.reads)))
    verb = "Adds up" if metric.adds_up else "Made from"
    parts = [f"### {metric.name}", f"{metric.description} {verb} {feeding}."]
    if metric.table_sql:
        parts.append(_columns(metric.table_sql))
    if "\n" in metric.view_sql:
        _, _, query = metric.view_sql.partition("\n")
        parts += [
            "Readers see, with `{table}` for the rows above:" if metric.table_sql else "Readers see:",
            f"```sql\n{query}\n```",
        ]
    return "\n\n".join(parts)


def _columns(statement: str) -> str:
    """Return the sorting key and the columns of a `CREATE TABLE` statement."""
    key = _KEY.search(statement)
    sorted_by = f"Key: {', '.join(f'`{name}`' for name in key[1].split(', '))}.\n\n" if key else ""
    return sorted_by + _column_table(declared_columns(statement))


def data_dictionary() -> str:
    """Return the introduction, a list of the views for analysts, and a section for each."""
    views = read_views()
    listed = [
        (f"[{name}](#{name})", view.description, "seller" if view.is_of_sellers else "")
        for name, view in views.items()
    ]
    return "\n\n".join(
        [DICTIONARY_INTRODUCTION, _table(("view", "a row", ""), listed), *map(_view, views.values())]
    )


def _view(view: AnalyticsView) -> str:
    return "\n\n".join(
        [
            f"## {view.name}",
            view.description,
            _column_table(view.columns),
            view.question,
            f"```sql\n{view.example}\n```",
        ]
    )


def _column_table(columns: Iterable[Column]) -> str:
    return _table(
        ("column", "type", "meaning"),
        [(f"`{column.name}`", f"`{column.type}`", column.comment) for column in columns],
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("|  |", "| |")


def _linked(text: str) -> str:
    """Return a text whose names of pages are links from a page of `docs/`."""
    return _PAGE.sub(r"[\1](\1)", text)
