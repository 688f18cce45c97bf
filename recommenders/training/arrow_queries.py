"""Runs the queries of this folder on ClickHouse. Results are Arrow tables."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from common.errors import PartUnavailable

_FOLDER = Path(__file__).parent


def query(client: Client, name: str, parameters: Mapping[str, int | float | str | datetime]) -> pa.Table:
    """Return the result of `<name>.sql`, whose texts are strings.

    Raises:
        PartUnavailable: ClickHouse rejects the query or is unavailable.
    """
    sql = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    settings = {"output_format_arrow_string_as_string": 1}
    try:
        table = client.query_arrow(sql, parameters=dict(parameters), settings=settings)
    except ClickHouseError as error:
        raise PartUnavailable(f"ClickHouse did not answer: {' '.join(str(error).split())}") from error
    return pa.table({name: _decoded(table[name]) for name in table.column_names})


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
