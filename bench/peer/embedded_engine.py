"""Runs ClickHouse in this process for the peers: the platform's ClickHouse forbids the Kafka engine."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import chdb

from clickhouse.schema import FILE


@dataclass(frozen=True)
class Rows:
    """The rows of an answer, as clickhouse-connect names them."""

    result_rows: list[list[Any]]


class EmbeddedEngine:
    """A connection to the engine. Only one thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._connection = chdb.connect(str(folder))

    def command(self, statement: str) -> None:
        """Run a statement.

        Raises:
            ChdbError: the engine refuses it.
        """
        self._connection.query(statement)

    def query(self, query: str, parameters: Mapping[str, str] | None = None) -> Rows:
        """Return the rows of a query with its typed parameters.

        Raises:
            ChdbError: the engine refuses it.
        """
        answer = self._connection.query(query, "JSONCompact", params=dict(parameters or {}))
        return Rows(json.loads(answer.bytes())["data"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def embedded_engine(tables_database: str) -> Iterator[Path]:
    """Yield the folder of an engine that has the platform's tables, all empty, in `tables_database`."""
    with TemporaryDirectory() as name:
        engine = EmbeddedEngine(Path(name))
        engine.command(f"CREATE DATABASE {tables_database}")
        engine.command(f"USE {tables_database}")
        for statement in FILE.read_text(encoding="utf-8").split(";\n\n"):
            engine.command(statement.rstrip().removesuffix(";"))
        try:
            yield Path(name)
        finally:
            engine.close()
