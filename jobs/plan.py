"""A job's plan, independent of any engine: its sources, views and outputs as SQL, and its options.

A job has a `.sql` file for each output, and one for each view that outputs share (`QueryFolder`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import UserError
from jobs.fingerprint import digest, sql_tokens


@dataclass(frozen=True)
class SharedView:
    """A named query that several outputs read; Flink runs it once."""

    name: str
    query: str


@dataclass(frozen=True)
class JobOutput:
    """A query and the table that it fills; the table has the query's columns.

    `key` is the primary key of a table that takes updates; it is empty for a table that takes only inserts.
    """

    table: str
    query: str
    key: tuple[str, ...]
    options: Mapping[str, str]


DATABASE = "events"
"""Flink's database for sources: `events.order_placed` is the topic `order_placed`."""

_URL_USER = re.compile("://[^/@']*@")

_TOPIC = re.compile(r"'topic' = '([^']+)'")

PLANNER = "views once"
"""The version of the planning in jobs/engine.py; change it when the same SQL gets other operators."""


@dataclass(frozen=True)
class JobPlan:
    """A Flink job: one statement set that fills all outputs.

    `sources` are `CREATE TABLE` statements. `functions` maps names in the queries to Java classes, and
    `function_code` is the digest of their code. `planner` is the version of the planning that the plan was
    written for.
    """

    name: str
    config: Mapping[str, str]
    sources: tuple[str, ...]
    views: tuple[SharedView, ...]
    outputs: tuple[JobOutput, ...]
    functions: Mapping[str, str] = field(default_factory=dict)
    function_code: str = ""
    planner: str = PLANNER

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that the sources read."""
        return tuple(topic for source in self.sources for topic in _TOPIC.findall(source))

    def fingerprint(self) -> str:
        """Return a digest of all that a checkpoint depends on: queries, Java functions, tables and servers.

        Comments, white space, passwords, flush intervals and Flink's own options do not change the digest.
        """
        outputs = [
            (output.table, sql_tokens(output.query), output.key, sorted(_target(output.options).items()))
            for output in self.outputs
        ]
        views = [(view.name, sql_tokens(view.query)) for view in self.views]
        sources = [sql_tokens(_URL_USER.sub("://", source)) for source in self.sources]
        functions = [sorted(self.functions.items()), self.function_code]
        return digest([self.planner, self.name, functions, sources, views, outputs])


def _target(options: Mapping[str, str]) -> dict[str, str]:
    changeable = {"username", "password", "sink.flush.interval", "sink.flush.busy-interval"}
    return {name: _URL_USER.sub("://", value) for name, value in options.items() if name not in changeable}


def quoted(text: str) -> str:
    """Return a text as a string literal of Flink SQL."""
    return "'" + text.replace("'", "''") + "'"


def with_clause(options: Mapping[str, str]) -> str:
    """Return the `WITH (…)` clause of a Flink table."""
    return "WITH (\n  " + ",\n  ".join(f"{quoted(k)} = {quoted(v)}" for k, v in options.items()) + "\n)"


_PARAMETER = re.compile(r"\{(\w+):INT\}")
_EVENT = re.compile(rf"^(?!--).*?\b{DATABASE}\.(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class QueryFolder:
    """The queries of a job: `<table>.sql` for each output, `views/<name>.sql` for each view.

    `parameters` has the values of `{name:INT}` in the queries. They are whole numbers: Flink SQL takes no
    parameters, and nothing else may be written into a query.
    """

    folder: Path
    parameters: Mapping[str, int] = field(default_factory=dict)

    def events(self) -> tuple[str, ...]:
        """Return the names of the events that the queries read (`events.order_placed`), sorted and unique."""
        found = {name for path in self.folder.rglob("*.sql") for name in _EVENT.findall(_read(path))}
        return tuple(sorted(found))

    def views(self, names: Iterable[str]) -> tuple[SharedView, ...]:
        """Return the named views in this order; a view must come after the views that it reads."""
        return tuple(SharedView(name, self._filled(self.folder / "views" / f"{name}.sql")) for name in names)

    def of(self, table: str) -> str:
        """Return the query that fills a table."""
        return self._filled(self.folder / f"{table}.sql")

    def _filled(self, path: Path) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] not in self.parameters:
                raise UserError(f"{path} has the parameter {found[1]}, which the job does not set")
            return str(int(self.parameters[found[1]]))

        return _PARAMETER.sub(value, _read(path))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
