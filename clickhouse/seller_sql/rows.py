"""Reads the rows of one seller from ClickHouse, for the process that runs the seller's query.

The statements are fixed: columns of a view, its rows of one seller, at most so many. Nothing of the query's
text is in them. Values are typed parameters.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from clickhouse.analytics.catalogue import AnalyticsView, read_views
from clickhouse.http_server.errors import DatabaseError
from clickhouse.seller_sql import limits
from common.errors import SoukError
from common.settings import Settings

CHUNK = 1 << 18
MARGIN_MS = 2 * 24 * 3600 * 1000
"""Added to both ends of a period: a bound may be in another time zone, and `now()` moves on."""


class ClickHouseUnavailable(SoukError):
    """ClickHouse does not answer, or refuses the statement; the message says why."""


class SellerRows:
    """Reads rows as the API's own user. Create and close it in one running event loop."""

    def __init__(self, settings: Settings, max_rows: int) -> None:
        self._max_rows = max_rows
        self._url = settings.clickhouse
        self._headers = {
            "X-ClickHouse-User": settings.clickhouse_serving_user,
            "X-ClickHouse-Key": settings.clickhouse_serving_password.get_secret_value(),
        }
        self._http = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def read(
        self, query: limits.SellerQuery, view: str, reading: Mapping[str, Any], timeout_s: float
    ) -> AsyncIterator[bytes]:
        """Yield the seller's rows of a view as ClickHouse's format Native.

        `reading` is what the query's process says that the query reads. It is checked: only the names of
        views and columns of the catalogue get into a statement.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer in time, or refuses.
            DatabaseError: 1001, `reading` names no view or column.
        """
        text, parameters = _statement(_view_of_sellers(view), reading, self._max_rows + 1)
        given = {"database": query.database, "default_format": "Native", "final": "1", "join_use_nulls": "1"}
        given |= {"param_seller": _escaped(query.seller_id), "max_execution_time": f"{timeout_s:.3f}"}
        given |= {f"param_{name}": value for name, value in parameters.items()}
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._http.post(
                self._url, params=given, data=text.encode(), headers=self._headers, timeout=timeout
            ) as response:
                if response.status != 200:
                    error = DatabaseError.parse((await response.content.read(CHUNK)).decode(errors="replace"))
                    raise ClickHouseUnavailable(f"ClickHouse refuses the rows of {view}: {error}")
                async for chunk in response.content.iter_chunked(CHUNK):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClickHouseUnavailable(
                f"ClickHouse does not answer ({str(error) or type(error).__name__})"
            ) from error


def _view_of_sellers(name: str) -> AnalyticsView:
    view = read_views().get(name)
    if view is None or not view.is_of_sellers:
        raise DatabaseError(1001, "STD_EXCEPTION", "The process of the query names no view of sellers.")
    return view


def _statement(view: AnalyticsView, reading: Mapping[str, Any], limit: int) -> tuple[str, dict[str, str]]:
    """Return the statement that reads at most `limit` rows of a seller, and its parameters but the seller."""
    declared = [column.name for column in view.columns]
    columns = [name for name in declared if name in reading["columns"]]
    if not columns or len(columns) != len(reading["columns"]):
        raise DatabaseError(1001, "STD_EXCEPTION", "The process of the query names no column of the view.")
    conditions, parameters = ["seller_id = {seller:String}"], {"limit": str(limit)}
    for number, name in enumerate(name for name in declared if name in reading["bounds"]):
        low, high = reading["bounds"][name]
        for sign, end, moment in ((">=", f"low_{number}", low), ("<=", f"high_{number}", high)):
            if moment is not None:
                conditions.append(f"`{name}` {sign} fromUnixTimestamp64Milli({{{end}:Int64}}, 'UTC')")
                parameters[end] = str(int(moment) + (MARGIN_MS if sign == "<=" else -MARGIN_MS))
    selected = ", ".join(f"`{name}`" for name in columns)
    where = " AND ".join(conditions)
    return f"SELECT {selected} FROM `{view.name}` WHERE {where} LIMIT {{limit:UInt64}}", parameters


def _escaped(value: str) -> str:
    """Return a text as the value of a parameter in a URL, which ClickHouse parses as tab-separated text."""
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
