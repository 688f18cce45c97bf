"""Reads the definitions of the views for analysts: one folder per view.

    orders/view.sql     CREATE OR REPLACE VIEW {view}: columns with types and comments, and the query
    orders/example.sql  a question that the view answers, and its query

In `view.sql`, `{facts}` stands for the platform's database, and `{minor_units}` for the number of minor units
in one unit of the row's `currency`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path

from clickhouse.literals import quoted
from common.errors import UserError

FOLDER = Path(__file__).parent

_TEXT = r"'((?:[^'\\]|''|\\.)*)'"
_COLUMN = re.compile(
    rf"^    `?(\w+)`? (.+?)(?: DEFAULT .+?)?(?: CODEC\(.+?\))? COMMENT {_TEXT}", re.MULTILINE
)
_COMMENT = re.compile(rf"\nCOMMENT {_TEXT}\Z")
_SOURCE = re.compile(r"\{facts\}\.(\w+)")
_CREATE = "CREATE OR REPLACE VIEW {view}\n(\n"
_VERSION_DIGITS = 8


@dataclass(frozen=True)
class Column:
    """A column of a view or a table. `comment` says what it contains, and when it is NULL."""

    name: str
    type: str
    comment: str


def declared_columns(statement: str) -> tuple[Column, ...]:
    """Return the columns of a CREATE statement in their order. Each has a line of its own and a comment."""
    return tuple(Column(name, kind, unescaped(comment)) for name, kind, comment in _COLUMN.findall(statement))


def unescaped(comment: str) -> str:
    """Return a comment of a statement as a text."""
    return comment.replace("''", "'").replace("\\'", "'")


@dataclass(frozen=True)
class AnalyticsView:
    """A view: its statement, and a question (`question`) with the query that answers it (`example`)."""

    name: str
    sql: str
    question: str
    example: str

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in their order."""
        return declared_columns(self.sql)

    @property
    def description(self) -> str:
        """What a row is; the comment of the view."""
        found = _COMMENT.search(self.sql)
        return unescaped(found[1]) if found else ""

    @property
    def sources(self) -> frozenset[str]:
        """The tables and views of the platform's database that the view reads."""
        return frozenset(_SOURCE.findall(self.sql))

    @property
    def is_of_sellers(self) -> bool:
        """Whether every row belongs to one seller, so that sellers may query their own rows."""
        return any(column.name == "seller_id" for column in self.columns)

    def statement(self, view: str, facts: str, minor_units: str) -> str:
        """Return the statement that creates the view.

        `view` and `facts` are quoted names; `minor_units` is an expression (`clickhouse.views.minor_units`).
        The comment of the created view ends with a digest, by which a change of the definition is detected.
        """
        query = self.sql.replace("{facts}", facts).replace("{minor_units}", minor_units)
        digest = sha256(query.encode()).hexdigest()[:_VERSION_DIGITS]
        comment = quoted(f"{self.description} (version {digest})")
        body = query[: query.rindex("\nCOMMENT ")].replace("{view}", view, 1)
        return f"{body}\nCOMMENT {comment}"


@cache
def read_views(folder: Path = FOLDER) -> Mapping[str, AnalyticsView]:
    """Return the views by name.

    Raises:
        UserError: the files of a folder are not those of a view.
    """
    views = {}
    for path in sorted(file.parent for file in folder.glob("*/view.sql")):
        question, _, example = (path / "example.sql").read_text(encoding="utf-8").strip().partition("\n")
        sql = (path / "view.sql").read_text(encoding="utf-8").strip()
        view = AnalyticsView(path.name, sql, question.removeprefix("--").strip(), example)
        lines = sql.removeprefix(_CREATE).partition("\n)\nAS\n")[0].count("\n") + 1
        if not sql.startswith(_CREATE) or len(view.columns) != lines or not view.description:
            raise UserError(
                f"{path}/view.sql must begin with {_CREATE.split(chr(10))[0]!r}, declare one column per line "
                "with a type and a COMMENT, and end with a COMMENT"
            )
        views[path.name] = view
    return views
