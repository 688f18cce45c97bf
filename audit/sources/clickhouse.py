"""Reads ClickHouse's side of a comparison: a query of `audit/queries/` as an Arrow table."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from common.errors import PartUnavailable

Parameters = Mapping[str, str | int]
QUERIES = Path(__file__).resolve().parent.parent / "queries"


class ClickHouseTables:
    """The platform's tables, read through one client (of the reader: the audit changes nothing).

    Every method raises PartUnavailable where ClickHouse does not answer or refuses the query.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def query(self, name: str, parameters: Parameters = MappingProxyType({})) -> pa.Table:
        """The answer of `audit/queries/<name>.sql`; whole numbers come as int64, text as string."""
        return self._read((QUERIES / f"{name}.sql").read_text(encoding="utf-8"), parameters)

    def facts(self, table: str, columns: list[str]) -> pa.Table:
        """The rows of a fact table, each event once as ClickHouse has merged it (`FINAL`)."""
        identifiers = {f"c{i}": name for i, name in enumerate(columns)}
        selected = ", ".join(f"{{{slot}:Identifier}}" for slot in identifiers)
        return self._read(
            f"SELECT {selected} FROM {{table:Identifier}} FINAL", {**identifiers, "table": table}
        )

    def _read(self, sql: str, parameters: Parameters) -> pa.Table:
        settings = {"output_format_arrow_string_as_string": 1}
        try:
            return plain(self._client.query_arrow(sql, parameters=dict(parameters), settings=settings))
        except ClickHouseError as error:
            raise PartUnavailable(f"ClickHouse did not answer: {' '.join(str(error).split())}") from error


def plain(table: pa.Table) -> pa.Table:
    """The table with dictionaries unpacked, whole numbers as int64 and no "never null" marks."""
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
