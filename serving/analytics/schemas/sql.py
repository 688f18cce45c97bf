"""Queries that sellers write, and their results."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

MAX_QUERY_LENGTH = 20_000
"""In characters."""

MAX_PARAMETERS = 20

_NUMBER = re.compile(r"(?:Nullable\(|LowCardinality\()*(?:U?Int|Float|BFloat|Decimal)")

ParameterName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
ParameterValue = Annotated[str, Field(max_length=1_000)] | int | float | bool


class SqlRequest(BaseModel):
    """A query over the views of `docs/data-dictionary.md`, with values for `{name:Type}` in it."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_LENGTH)]
    parameters: Annotated[dict[ParameterName, ParameterValue], Field(max_length=MAX_PARAMETERS)] = {}


class SqlColumn(TypedDict):
    """A column of a result. `type` is ClickHouse's."""

    name: str
    type: str


class SqlResult(TypedDict):
    """The result of a query.

    A row is a list with a value for each column: decimals, and integers of more than 18 digits, are strings.
    `truncated`: there were more rows. `as_of` is null if a table behind the query was never written.
    """

    columns: list[SqlColumn]
    rows: list[list[Any]]
    truncated: bool
    as_of: datetime | None


def is_numeric(column_type: str) -> bool:
    """Return whether a column of this type of ClickHouse has numbers."""
    return _NUMBER.match(column_type) is not None
