"""Reads the rows of one seller from ClickHouse, for the process that runs the seller's query.

The statements are fixed: columns of a view, its rows of one seller, at most so many. Nothing of the query's
text is in them. Values are typed parameters.
"""

from collections.abc import AsyncIterator
from typing import Annotated

import aiohttp
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from clickhouse.analytics.catalogue import AnalyticsView, read_views
from clickhouse.seller_sql import limits
from clickhouse.sql_guard.errors import DatabaseError
from common.errors import SoukError
from common.settings import Settings

CHUNK = 1 << 18
MARGIN_MS = 2 * 24 * 3600 * 1000
"""Added to both ends of a period: a bound may be in another time zone, and `now()` moves on."""


Moment = Annotated[int, Field(ge=-(1 << 62), le=1 << 62)]
"""Milliseconds since 1970."""


class ViewReading(BaseModel):
    """What a query reads of a view: columns, and time column → first and last moment, None without an end."""

    columns: list[str] = Field(min_length=1)
    bounds: dict[str, tuple[Moment | None, Moment | None]]


_READINGS = TypeAdapter(dict[str, ViewReading])


def parse_readings(message: bytes) -> dict[str, ViewReading]:
    """Return view → what the query reads of it, as the query's process says, which nobody trusts.

    Only names of the catalogue's views of sellers and of their columns pass.

    Raises:
        DatabaseError: 1001, something else is said.
    """
    try:
        readings = _READINGS.validate_json(message)
    except ValidationError:
        raise limits.broken_process() from None
    views = read_views()
    for name, reading in readings.items():
        view = views.get(name)
        columns = {column.name for column in view.columns} if view and view.is_of_sellers else set()
        if not columns.issuperset([*reading.columns, *reading.bounds]):
            raise limits.broken_process()
    return readings


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
        self, query: limits.SellerQuery, view: str, reading: ViewReading, timeout_s: float
    ) -> AsyncIterator[bytes]:
        """Yield the seller's rows of a view as ClickHouse's format Native.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer in time, or refuses.
        """
        text, parameters = _statement(read_views()[view], reading, self._max_rows + 1)
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


def _statement(view: AnalyticsView, reading: ViewReading, limit: int) -> tuple[str, dict[str, str]]:
    """Return the statement that reads at most `limit` rows of a seller, and its parameters but the seller."""
    declared = [column.name for column in view.columns]
    conditions, parameters = ["seller_id = {seller:String}"], {"limit": str(limit)}
    for number, name in enumerate(name for name in declared if name in reading.bounds):
        low, high = reading.bounds[name]
        for sign, end, moment in ((">=", f"low_{number}", low), ("<=", f"high_{number}", high)):
            if moment is not None:
                conditions.append(f"`{name}` {sign} fromUnixTimestamp64Milli({{{end}:Int64}}, 'UTC')")
                parameters[end] = str(moment + (MARGIN_MS if sign == "<=" else -MARGIN_MS))
    selected = ", ".join(f"`{name}`" for name in declared if name in reading.columns)
    where = " AND ".join(conditions)
    return f"SELECT {selected} FROM `{view.name}` WHERE {where} LIMIT {{limit:UInt64}}", parameters


def _escaped(value: str) -> str:
    """Return a text as the value of a parameter in a URL, which ClickHouse parses as tab-separated text."""
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
