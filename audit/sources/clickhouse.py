"""Reads ClickHouse's side of a comparison: the result of a query of `audit/queries/` as an Arrow table."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import stamina
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from audit.sources.busy import StoreBusy
from audit.table_comparison import KeyFilter
from clickhouse.client import one_line
from common.errors import PartUnavailable

Parameters = Mapping[str, str | int | list[str]]
OWN_ORDER = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""Pattern of the ids of orders that the service placed (UUIDv7). Replayed and simulated orders differ."""

_BUSY = frozenset({159, 202, 241})
"""ClickHouse's error codes for a timeout, for too many queries at once, and for too little memory."""

_BUSY_ATTEMPTS, _BUSY_WAIT_S = 3, 5.0

_KEY_FILTER = "has({key_values:Array(String)}, toString({key_column:Identifier}))"

QUERIES = Path(__file__).resolve().parent.parent / "queries"


class ClickHouseTables:
    """The platform's tables, read by the read-only user.

    Every method raises PartUnavailable if ClickHouse does not answer or refuses the query, and StoreBusy
    if it has too much to do.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def query(
        self, name: str, parameters: Parameters = MappingProxyType({}), keys: KeyFilter | None = None
    ) -> pa.Table:
        """Run `audit/queries/<name>.sql`, for all keys or for some; integers are int64, text is string.

        A query may use `{own_order:String}`, the pattern of the ids of orders that the service placed.
        """
        sql = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
        used = dict(parameters)
        if "{own_order:" in sql:
            used["own_order"] = OWN_ORDER
        return self.query_sql(sql, used, keys)

    def query_sql(self, sql: str, parameters: Parameters, keys: KeyFilter | None = None) -> pa.Table:
        """Run a query that the code of the platform wrote, for all keys or for some."""
        if keys is None:
            return self._read(sql, parameters)
        of_keys: Parameters = {"key_column": keys.column, "key_values": list(keys.values)}
        return self._read(f"SELECT * FROM (\n{sql}\n) WHERE {_KEY_FILTER}", {**parameters, **of_keys})

    def facts(self, table: str, columns: list[str]) -> pa.Table:
        """Return the rows of a fact table, each event once (`FINAL`)."""
        selected, identifiers = _selected(columns)
        return self._read(
            f"SELECT {selected} FROM {{table:Identifier}} FINAL", {**identifiers, "table": table}
        )

    def facts_since(self, table: str, columns: list[str], since_ms: int) -> pa.Table:
        """Return the rows of a fact table that were taken since a time, of each event the newest."""
        selected, identifiers = _selected(columns)
        return self._read(
            f"SELECT {selected} FROM {{table:Identifier}} "
            "WHERE ingested_at >= fromUnixTimestamp64Milli({since_ms:Int64}) "
            "ORDER BY ingested_at DESC LIMIT 1 BY event_id "
            "SETTINGS final = 0",  # it would merge the whole table first
            {**identifiers, "table": table, "since_ms": since_ms},
        )

    def state_of_facts(self, table: str) -> tuple[int, int]:
        """Return the number of rows of a fact table, and when the newest was taken. A new row changes it."""
        columns = "count() AS total, toUnixTimestamp64Milli(max(ingested_at)) AS newest"
        [row] = self._read(f"SELECT {columns} FROM {{table:Identifier}}", {"table": table}).to_pylist()
        return row["total"], row["newest"]

    def now_ms(self) -> int:
        """Return ClickHouse's clock, by which it sets `ingested_at`, as Unix milliseconds."""
        return int(self._read("SELECT toUnixTimestamp64Milli(now64(3)) AS now_ms", {})["now_ms"][0].as_py())

    def _read(self, sql: str, parameters: Parameters) -> pa.Table:
        settings = {"output_format_arrow_string_as_string": 1, "join_use_nulls": 0}
        for attempt in stamina.retry_context(
            on=StoreBusy, attempts=_BUSY_ATTEMPTS, wait_initial=_BUSY_WAIT_S
        ):
            with attempt:
                try:
                    found = self._client.query_arrow(sql, parameters=dict(parameters), settings=settings)
                except ClickHouseError as error:
                    reason = one_line(error)
                    if error.code in _BUSY:
                        raise StoreBusy(f"ClickHouse was too busy for a query: {reason}") from error
                    raise PartUnavailable(f"ClickHouse did not answer: {reason}") from error
        return plain(found)


def _selected(columns: list[str]) -> tuple[str, dict[str, str]]:
    """Return what a query selects to get these columns, and the parameters that name them."""
    identifiers = {f"c{i}": name for i, name in enumerate(columns)}
    return ", ".join(f"{{{slot}:Identifier}}" for slot in identifiers), identifiers


def plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionaries decoded, integers as int64 and all columns nullable."""
    return table.cast(pa.schema([pa.field(f.name, _plain_type(f.type)) for f in table.schema]))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float64()
    if pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, _plain_type(f.type)) for f in kind])
    return kind
