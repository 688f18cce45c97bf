"""What a seller's query may use, and how the API asks for it to be run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clickhouse.analytics.catalogue import AnalyticsView
from clickhouse.sql_guard.errors import DatabaseError

AUDIENCE = "seller_sql"
"""The audience of the tokens with which the API asks (`common.principal_token`)."""

PATH = "/query"

MAX_SELLER_ID_LENGTH = 128

MAX_ROWS = 10_000
"""The largest number of rows of an answer. The engine returns one more, if there are more."""

MAX_RESULT_BYTES = 16 << 20
"""The largest size of an answer, as it is sent."""


@dataclass(frozen=True)
class Limits:
    """What one query may take."""

    time_s: float = 10.0
    """From when its process begins with it, in seconds."""
    read_rows: int = 500_000
    """Rows of the views, all views that the query needs together."""
    read_bytes: int = 64 << 20
    """Size of these rows in ClickHouse's format Native."""


KILL_AFTER_S = 1.0
"""How long after the time limit the process of the query is killed, if the engine did not end the query."""

QUERY_MEMORY = 256 << 20
"""Limit of the engine's memory for a query in bytes, besides the rows of the views."""

SETTINGS: Mapping[str, str] = {
    "implicit_select": "0",
    "max_memory_usage": str(QUERY_MEMORY),
    "max_execution_time": "10",
    "max_rows_to_read": "500000000",
    # There is no disk to which an operation could spill.
    "max_bytes_before_external_group_by": "0",
    "max_bytes_ratio_before_external_group_by": "0",
    "max_bytes_before_external_sort": "0",
    "max_bytes_ratio_before_external_sort": "0",
    "max_threads": "2",
    "max_ast_elements": "5000",
    "max_expanded_ast_elements": "100000",
    "limit": str(MAX_ROWS + 1),
    "join_use_nulls": "1",
    "output_format_json_quote_decimals": "1",
    "readonly": "1",
}
"""The settings of every query of a seller. The query can't change them."""

TOO_MUCH_TO_READ = "SELLER_ROWS_OVER_LIMIT"
"""The name of the error of a query that needs more rows of the views than the limit; sellers see its text."""

OVER_LIMIT: Mapping[int, str] = {
    159: "The query ran for too long. Add a condition on the time, or group by fewer columns.",
    160: "The query would run for too long. Add a condition on the time, or group by fewer columns.",
    158: "The query reads too many rows. Add a condition on the time, or join fewer rows.",
    241: "The query needs too much memory. Group by fewer columns, or join and sort fewer rows.",
    396: "The result is too large. Select fewer columns, shorter texts or fewer rows.",
}
"""The codes of errors of limits, with what sellers read instead of the engine's text."""

ENDED = "PROCESS_ENDED"
"""The name of the error of a query that ended its process."""


@dataclass(frozen=True)
class SellerQuery:
    """A query of a seller. `database` is that of the views for analysts, `format` the engine's format."""

    seller_id: str
    database: str
    text: str
    params: Mapping[str, str]
    format: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "SellerQuery":
        """Return the query of these fields.

        Raises:
            ValueError: a field is missing, has another type or an impossible value.
        """
        texts = [given.get(name) for name in ("seller_id", "database", "text", "format")]
        params = given.get("params")
        if not all(isinstance(each, str) for each in texts) or not isinstance(params, dict):
            raise ValueError("seller_id, database, text and format must be texts, and params an object")
        seller_id, database, text, form = map(str, texts)
        if not 0 < len(seller_id) <= MAX_SELLER_ID_LENGTH:
            raise ValueError(f"seller_id must have 1 to {MAX_SELLER_ID_LENGTH} characters")
        if form not in ("JSONCompact", "Parquet"):
            raise ValueError("format must be JSONCompact or Parquet")
        return cls(seller_id, database, text, {str(k): str(v) for k, v in params.items()}, form)


def broken_process() -> DatabaseError:
    """Return the error of a query whose process no longer speaks the protocol. It has to be killed."""
    return DatabaseError(1001, ENDED, "The query has broken its process.")


def too_much_to_read(view: AnalyticsView, limit: str) -> DatabaseError:
    """Return the error of a query that needs more than `limit` of its views, most of it from this one."""
    times = [column.name for column in view.columns if "Date" in column.type]
    period = (
        f"Add a condition on a shorter period to its WHERE, such as {times[0]} >= '2026-01-01'"
        if times
        else ""
    )
    rest = "name the columns that it needs instead of *, and query in parts"
    advice = f"{period}, or {rest}" if period else rest.capitalize()
    return DatabaseError(
        158,
        TOO_MUCH_TO_READ,
        f"The query needs more than {limit} of your data, most of it from {view.name}. {advice}.",
    )
