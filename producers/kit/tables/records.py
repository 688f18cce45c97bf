"""Reads the records of a CSV text, also past malformed ones, and keeps spreadsheets from running texts."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a text as a formula if it begins with one of these."""

MAX_LINES = 500
"""Limit of lines of one record. A longer one is a quote that is opened and never closed."""


def guarded(text: str) -> str:
    """Return a text with an apostrophe in front if a spreadsheet would run it, or if it has such a one."""
    return f"'{text}" if _is_formula(text) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given. A formula without an apostrophe is a text like any other."""
    return text[1:] if text.startswith("'") and _is_formula(text) else text


def _is_formula(text: str) -> bool:
    return text.lstrip("'").startswith(FORMULA)


class _Unclosed(Exception):
    """A quote is opened and not closed within `MAX_LINES`."""


def read_records(lines: Iterable[str], delimiter: str) -> Iterator[list[str] | None]:
    """Yield the cells of each record; none for a blank line; None for a line whose quotes are malformed.

    The lines after a malformed one are read as if it were not there, so that one quote spoils one row.
    """
    feed = _Lines(iter(lines))
    while True:
        try:
            for cells in csv.reader(feed, delimiter=delimiter, strict=True):
                feed.taken.clear()
                yield cells
        except (csv.Error, _Unclosed):
            feed.give_back()
            yield None
        else:
            return


class _Lines:
    """Lines, of which those of the current record can be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.taken: list[str] = []
        self._lines = lines
        self._again: deque[str] = deque()

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None and not self.taken:
            raise StopIteration
        if line is not None:
            self.taken.append(line)
        if line is None or len(self.taken) > MAX_LINES:
            raise _Unclosed
        return line

    def give_back(self) -> None:
        """Let all lines of the current record but its first one be read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.taken.clear()
