"""The texts that readers may run, as found before: one that comes again is not read again."""

from clickhouse.front.statement import Query

MOST = 4096
"""Texts that are kept; before the next all are forgotten."""

LONGEST = 8192
"""Bytes of a text that is kept."""


class Checked:
    """Texts in which everything was a reader's: one statement that only reads, split.

    What a text is hangs on nothing but itself and the database of its unqualified names. Where a parameter
    names something, it hangs on that, too: such a text is not kept.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[bytes, str], Query] = {}

    def find(self, text: bytes, database: str) -> Query | None:
        """The query that this text is, if it was found to be a reader's."""
        return self._texts.get((text, database))

    def keep(self, text: bytes, database: str, query: Query) -> None:
        """Remember that this text is a reader's."""
        if len(text) > LONGEST or b"Identifier" in text:
            return
        if len(self._texts) >= MOST:
            self._texts.clear()
        self._texts[text, database] = query
