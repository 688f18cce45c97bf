"""What a job is, before any engine sees it: its source tables, views and outputs as SQL, and its options."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(frozen=True)
class View:
    """A named query that several outputs share; Flink runs it once."""

    name: str
    query: str


@dataclass(frozen=True)
class Output:
    """One query and the table it fills; the table's columns are the query's.

    `key` is the columns of an upsert sink's primary key, empty for one that takes inserts only.
    """

    table: str
    query: str
    key: tuple[str, ...]
    options: Mapping[str, str]


_PLANNED = "views once"
"""How jobs/engine.py plans; a change of it makes other operators of the same SQL."""


@dataclass(frozen=True)
class Plan:
    """One Flink job: a statement set of all outputs.

    `functions` are the names that its queries give our Java classes, `sources` are `CREATE TABLE` statements.
    """

    name: str
    config: Mapping[str, str]
    sources: tuple[str, ...]
    views: tuple[View, ...]
    outputs: tuple[Output, ...]
    functions: Mapping[str, str] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Changes with whatever makes a checkpoint another job's: queries, tables, and where they are.

        Passwords, flush intervals and Flink's own options may change under a checkpoint.
        """
        outputs = [
            (output.table, output.query, output.key, sorted(_place(output.options).items()))
            for output in self.outputs
        ]
        views = [(view.name, view.query) for view in self.views]
        text = json.dumps([_PLANNED, self.name, sorted(self.functions.items()), self.sources, views, outputs])
        return blake2b(text.encode(), digest_size=8).hexdigest()


def _place(options: Mapping[str, str]) -> dict[str, str]:
    changeable = {"username", "password", "sink.flush.interval"}
    return {name: value for name, value in options.items() if name not in changeable}


def quoted(text: str) -> str:
    """A string literal of Flink SQL."""
    return "'" + text.replace("'", "''") + "'"


def with_clause(options: Mapping[str, str]) -> str:
    """The `WITH (…)` of a Flink table."""
    return "WITH (\n  " + ",\n  ".join(f"{quoted(k)} = {quoted(v)}" for k, v in options.items()) + "\n)"
