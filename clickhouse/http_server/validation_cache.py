"""Caches the query texts that passed the checks for readers."""

import re

from clickhouse.http_server.statement import Query

MOST = 4096
"""Entries; the cache is emptied before one more is added."""

LONGEST = 8192
"""Bytes of the longest text that is cached."""


_PARAMETER_IN_STRUCTURE = re.compile(rb"(?:values|generaterandom).*\{", re.IGNORECASE | re.DOTALL)
"""A text with parameters and a table function whose columns a string describes: it may be a parameter's."""


class ValidationCache:
    """Maps a text and its database to the parsed query, for texts that a reader may run.

    The result of the checks depends on the text and on the database of its unqualified names. A text in which
    a parameter names a table or describes columns is not cached: there the result depends on the parameter.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[bytes, str], Query] = {}

    def find(self, text: bytes, database: str) -> Query | None:
        """The parsed query, if this text has passed the checks before; else None."""
        return self._texts.get((text, database))

    def keep(self, text: bytes, database: str, query: Query) -> None:
        """Add a text that passed the checks."""
        if len(text) > LONGEST or b"Identifier" in text or _PARAMETER_IN_STRUCTURE.search(text):
            return
        if len(self._texts) >= MOST:
            self._texts.clear()
        self._texts[text, database] = query
