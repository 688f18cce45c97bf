"""Runs the API's queries about a seller for all sellers, and makes tables of the rows of both sides."""

from collections.abc import Collection, Iterable

import pyarrow as pa

from audit.sources.api import Row
from audit.stores import Stores
from clickhouse.query_files import load_queries

_OF_SELLER = "seller_id = {seller_id:String}"


def rows_of_all_sellers(stores: Stores, query: str, **parameters: str | int) -> list[Row]:
    """Return the rows of a query of the API as if it were about every seller at once."""
    sql = load_queries()[query].replace(_OF_SELLER, "true")
    shop = {"currency": stores.currency, "timezone": stores.timezone.key}
    return list(stores.clickhouse.query_sql(sql, {**shop, **parameters}).to_pylist())


def rows_table(
    rows: Iterable[Row], key: tuple[str, ...], figures: tuple[str, ...], texts: Collection[str]
) -> pa.Table:
    """Return the columns `key` and `figures` of rows: integers, except those named in `texts`."""
    schema = pa.schema([(name, pa.string() if name in texts else pa.int64()) for name in (*key, *figures)])
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema)
