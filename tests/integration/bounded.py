"""Runs a job's plan over bounded inputs: it reads files instead of topics and writes changes to files."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.engine import statement_set, table_environment
from jobs.plan import JobOutput, JobPlan, with_clause

Row = dict[str, Any]
Events = dict[str, list[Row]]
Table = dict[tuple[Any, ...], Row]


def run_bounded(
    real: JobPlan, names: Iterable[str], events: Events, folder: Path, stored: Iterable[JobOutput] = ()
) -> dict[str, list[Row]]:
    """Run a plan's queries over events by topic, in the order of arrival; returns each output's changes.

    The outputs `stored` run beside them, with their own sinks.
    """
    for name in names:
        (folder / name).mkdir()
        lines = [json.dumps(event) + "\n" for event in events.get(name, [])]
        (folder / name / "events.json").write_text("".join(lines))
    bounded = over_files(real, names, folder)
    environment = table_environment(bounded.config)
    statements = statement_set(environment, replace(bounded, outputs=(*bounded.outputs, *stored)))
    statements.execute().wait()
    return {output.table: list(written(folder / output.table)) for output in real.outputs}


def over_files(real: JobPlan, names: Iterable[str], folder: Path) -> JobPlan:
    """The same queries, reading files instead of topics and writing their changes to files."""
    files = {"connector": "filesystem", "format": "json", "json.timestamp-format.standard": "ISO-8601"}
    changes = {
        "connector": "filesystem",
        "format": "debezium-json",
        "debezium-json.timestamp-format.standard": "ISO-8601",
    }
    tables = {table.split(" ", 3)[2]: table.partition(" WITH (\n")[0] for table in real.sources}
    sources = (
        f"{tables[f'events.{name}']} {with_clause({**files, 'path': str(folder / name)})}" for name in names
    )
    config = {**real.config, "restart-strategy.type": "none", "state.backend.type": "hashmap"}
    return replace(
        real,
        config={key: value for key, value in config.items() if not key.startswith("execution.checkpointing")},
        sources=tuple(sources),
        outputs=tuple(
            replace(output, options={**changes, "path": str(folder / output.table)})
            for output in real.outputs
        ),
    )


def written(folder: Path) -> Iterable[Row]:
    """The changes of an output, in order: `op` (c or d), `before`, `after`."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        for line in file.read_text().splitlines():
            yield json.loads(line)


def upserted(changes: Iterable[Mapping[str, Any]], key: tuple[str, ...]) -> Table:
    """The final rows of an upsert sink."""
    table: Table = {}
    for change in changes:
        row = change["after"] or change["before"]
        place = tuple(row[column] for column in key)
        if change["op"] == "d":
            table.pop(place, None)
        else:
            table[place] = row
    return table
