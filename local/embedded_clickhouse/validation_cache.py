"""Caches the query texts that passed the checks of a reader's query."""

import re
from dataclasses import dataclass

from clickhouse.sql_guard.statement import Query

MAX_ENTRIES = 4096
"""A cache with this many entries is emptied before an entry is added."""

MAX_TEXT_BYTES = 8192
"""Longer texts are not cached."""


_PARAMETER_IN_STRUCTURE = re.compile(rb"(?:values|generaterandom).*\{", re.IGNORECASE | re.DOTALL)
"""A parameter after a table function with a description of columns: its value may be that description."""


@dataclass(frozen=True)
class ValidatedQuery:
    """A query that a reader may run: its text without comments, and its parts."""

    text: bytes
    query: Query


class ValidationCache:
    """Maps a text, as it arrived, and its database to the query, for texts that a reader may run.

    The result of the checks depends on the text and on the database of its unqualified names. A text in which
    a parameter names a table or describes columns is not cached, because the result depends on its value.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[bytes, str], ValidatedQuery] = {}

    def find(self, text: bytes, database: str) -> ValidatedQuery | None:
        """Return the query, if this text has passed the checks before; else None."""
        return self._texts.get((text, database))

    def add(self, text: bytes, database: str, query: ValidatedQuery) -> None:
        """Add a text that passed the checks."""
        if len(text) > MAX_TEXT_BYTES or b"Identifier" in text or _PARAMETER_IN_STRUCTURE.search(text):
            return
        if len(self._texts) >= MAX_ENTRIES:
            self._texts.clear()
        self._texts[text, database] = query
