"""The settings that confine a seller's query to rows of that seller, within limits.

The user `seller` runs queries that sellers wrote. Each request names the seller in the setting
`SQL_seller_id`; without it, the query is refused. The engine itself filters the rows, at two levels
(`additional_table_filters`), and `readonly = 1` keeps the query from lifting the filters:

- each view for analysts, by its column `seller_id`, which alone confines the result;
- each table that these views read, so that no expression of the query, which the engine may evaluate before
  the filter of the view, ever sees another seller's row: an error would tell about it.

Every other view for analysts and table of the platform's database has no rows for sellers, whatever the check
of the query (`seller_policy.py`) may miss.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from clickhouse.analytics.catalogue import read_views
from clickhouse.databases import facts_database
from clickhouse.http_server.errors import DatabaseError
from clickhouse.literals import quoted
from clickhouse.metrics.definition import read_definitions

SELLER_SETTING = "SQL_seller_id"
"""The setting in which a request of the user `seller` names the seller."""

MAX_SELLER_ID_LENGTH = 128

MAX_ROWS = 10_000
"""The largest number of rows of an answer. The engine returns one more, if there are more."""

MAX_RESULT_BYTES = 16 << 20
"""The largest size of an answer, as it is sent."""

SELLER_SETTINGS: Mapping[str, str] = {
    "max_execution_time": "10",
    "max_memory_usage": str(256 << 20),
    "max_rows_to_read": "500000000",
    "max_bytes_before_external_group_by": str(64 << 20),
    "max_bytes_before_external_sort": str(64 << 20),
    "max_temporary_data_on_disk_size_for_query": str(256 << 20),
    "max_threads": "2",
    "max_ast_elements": "5000",
    "max_expanded_ast_elements": "100000",
    "limit": str(MAX_ROWS + 1),
    "final": "1",
    "join_use_nulls": "1",
    "output_format_json_quote_decimals": "1",
    # An expression of the query must not move below the filter, nor into the same step.
    "analyzer_inline_views": "0",
    "query_plan_merge_filters": "0",
    "query_plan_convert_outer_join_to_inner_join": "0",
}
"""The settings of every query of a seller. A request can't change them."""

SOURCE_FILTERS: Mapping[str, str] = {
    "recommendation_shown": "has(items.seller_id, {seller})",
    "recommendation_clicked": (
        "(recommendation_id, product_id) IN (SELECT recommendation_id, item.product_id "
        "FROM {facts}.recommendation_shown ARRAY JOIN items AS item WHERE item.seller_id = {seller})"
    ),
    "review_rejected": (
        "review_id IN (SELECT review_id FROM {facts}.review_submitted WHERE seller_id = {seller})"
    ),
}
"""Table that a seller's view reads, and that has no column `seller_id` → its filter."""

_DEFAULT_FILTER = "seller_id = {seller}"
_NO_ROWS = "0"
_SCHEMA = Path(__file__).parents[1] / "schema.sql"
_TABLE = re.compile(r"^CREATE TABLE (\w+)$", re.MULTILINE)


def settings_of_seller(given: Mapping[str, str], database: str) -> dict[str, str]:
    """Return the settings of a request of the user `seller`, whose own settings are `given`.

    Raises:
        DatabaseError: the request names no seller, changes a setting, or its database is not that of the
            views for analysts.
    """
    seller_id = given.get(SELLER_SETTING, "")
    for name in given:
        if name != SELLER_SETTING:
            raise DatabaseError(164, "READONLY", f"Sellers may not change settings: remove {name}.")
    if not 0 < len(seller_id) <= MAX_SELLER_ID_LENGTH:
        raise DatabaseError(497, "ACCESS_DENIED", f"The request names no seller in {SELLER_SETTING}.")
    return {**SELLER_SETTINGS, "additional_table_filters": table_filters(seller_id, database)}


def table_filters(seller_id: str, database: str) -> str:
    """Return the value of `additional_table_filters` for a seller; `database` is that of the views.

    Raises:
        DatabaseError: `database` is another one.
    """
    facts = facts_database(database)
    if facts is None:
        raise DatabaseError(497, "ACCESS_DENIED", "The database must be that of the views for analysts.")
    pairs = []
    for table, expression in _filters(database, facts):
        condition = expression.replace("{facts}", f"`{facts}`").replace("{seller}", quoted(seller_id))
        pairs.append(f"{quoted(table)}: {quoted(condition)}")
    return f"{{{', '.join(pairs)}}}"


@cache
def _tables() -> frozenset[str]:
    """Return the names of the tables and of the metrics of the platform's database."""
    return frozenset(_TABLE.findall(_SCHEMA.read_text(encoding="utf-8"))) | frozenset(read_definitions())


def _filters(database: str, facts: str) -> Iterator[tuple[str, str]]:
    """Yield each view and table with the condition on its rows."""
    sources: set[str] = set()
    for name, view in read_views().items():
        yield f"{database}.{name}", _DEFAULT_FILTER if view.is_of_sellers else _NO_ROWS
        sources |= view.sources if view.is_of_sellers else set()
    for table in sorted(_tables() | sources):
        condition = SOURCE_FILTERS.get(table, _DEFAULT_FILTER) if table in sources else _NO_ROWS
        yield f"{facts}.{table}", condition
