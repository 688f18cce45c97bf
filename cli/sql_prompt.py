"""The prompt of `./souk sql`: reads statements, with history and completion, and runs them."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from common.errors import SoukError

HISTORY_LENGTH = 1_000
"""Lines that the history file keeps."""

PROMPT, CONTINUED = "souk> ", "   -> "

HELP = """Write a statement and end it with ; or an empty line. Tab completes names.
  \\d           list the views for analysts
  \\d <view>    describe a view, such as analytics.orders
  \\q           quit (also exit, quit, Ctrl + D)"""

_LIST = "SELECT name, comment FROM system.tables WHERE database = '{analytics}' ORDER BY name"
_DESCRIBE = (
    "SELECT name, type, comment FROM system.columns "
    "WHERE database || '.' || table = '{view}' ORDER BY position"
)
_VIEW = re.compile(r"[\w.]+", re.ASCII)
_QUIT = frozenset({"\\q", "exit", "quit", "exit;", "quit;"})

COMPLETIONS = """
SELECT DISTINCT word FROM
(
    SELECT concat(database, '.', name) AS word FROM system.tables WHERE database = '{analytics}'
    UNION ALL
    SELECT name FROM system.columns WHERE database = '{analytics}'
    UNION ALL
    SELECT name FROM system.tables WHERE database = currentDatabase()
    UNION ALL
    SELECT keyword FROM system.keywords WHERE match(keyword, '^[A-Z]+$')
    UNION ALL
    SELECT name FROM system.functions
)
ORDER BY word
"""
"""The words that Tab completes: the views for analysts, their columns, tables, keywords and functions."""


def statements(read_line: Callable[[str], str]) -> Iterator[str]:
    """Yield what a person enters, a statement or a command at a time, until the end of the input.

    `read_line` gets the prompt. It raises EOFError at the end, and KeyboardInterrupt to drop the statement.
    """
    lines: list[str] = []
    while True:
        try:
            line = read_line(CONTINUED if lines else PROMPT)
        except EOFError:
            return
        except KeyboardInterrupt:
            lines = []
            continue
        text = line.strip()
        if not lines and text in _QUIT:
            return
        if not lines and (text.startswith("\\") or text == "help"):
            yield text
            continue
        if text:
            lines.append(line)
        if lines and (not text or text.endswith(";")):
            yield "\n".join(lines).strip().rstrip(";").rstrip()
            lines = []


def query_of(statement: str, analytics: str) -> str:
    """Return the query of a statement or of a command `\\d`; empty for a text that is no query.

    `analytics` is the database of the views for analysts.
    """
    if not statement.startswith("\\"):
        return "" if statement == "help" else statement
    command, _, view = statement.partition(" ")
    if command != "\\d" or (view and not _VIEW.fullmatch(view.strip())):
        return ""
    view = view.strip()
    if not view:
        return _LIST.format(analytics=analytics)
    return _DESCRIBE.format(view=view if "." in view else f"{analytics}.{view}")


class Completer:
    """Completes the word before the cursor, in any case. The words are fetched once, at the first Tab."""

    def __init__(self, fetch: Callable[[], Iterable[str]]) -> None:
        self._fetch = fetch
        self._words: list[str] | None = None

    def __call__(self, text: str, state: int) -> str | None:
        """Return the completion number `state` of a text, as `readline` asks for it; None after the last."""
        found = self.completions(text)
        return found[state] if state < len(found) else None

    def completions(self, text: str) -> list[str]:
        """Return the words that begin with a text. Without a server, there are none."""
        if self._words is None:
            try:
                self._words = sorted(set(self._fetch()))
            except SoukError:
                return []
        start = text.lower()
        return [word for word in self._words if word.lower().startswith(start)] if start else []


def run_prompt(
    answer: Callable[[str], None], fetch_words: Callable[[], Iterable[str]], analytics: str, history: Path
) -> None:
    """Run the prompt until its end. `answer` runs a query and prints the result; its errors are printed."""
    import readline

    readline.set_completer(Completer(fetch_words))
    readline.set_completer_delims(" \t\n,;()=<>+-*/'\"")
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(HISTORY_LENGTH)
    if history.exists():
        readline.read_history_file(history)
    print(f"Views for analysts are in the database {analytics}: \\d lists them, help explains the prompt.")
    try:
        for statement in statements(input):
            query = query_of(statement, analytics)
            if not query:
                print(HELP)
                continue
            started = time.monotonic()
            try:
                answer(query)
            except SoukError as error:
                print(error)
            except KeyboardInterrupt:
                print("The query was cancelled.")
            print(f"{time.monotonic() - started:.3f} s")
    finally:
        history.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(history, os.O_WRONLY | os.O_CREAT, 0o600))  # statements may have personal data
        readline.write_history_file(history)
    print()
