"""Requests for metrics by month, and the values in the responses: JSON, CSV and Parquet."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO
from urllib.parse import quote, unquote

import orjson
import pyarrow.parquet as pq

from audit.reference.arithmetic import Value
from audit.reference.totals import ALL_SELLERS
from audit.sources.api import ApiRequest, Row
from audit.sources.sales_api import DayRange
from clickhouse.metric_catalogue.definition import read_every_metric
from common.money import to_minor

METRICS_OF_REQUEST = 100
"""The API answers for at most so many metrics at once."""

MonthOf = Callable[[datetime], str]
Values = Mapping[str, Value | str]


def requests(
    owners: Iterable[str], names: Sequence[str], days: DayRange, form: str = ""
) -> Iterator[ApiRequest]:
    """Yield the requests for metrics of owners by month; `form` is empty, or as `/export.csv`."""
    query = {"from": str(days.first), "to": str(days.last), "grain": "month", "compare": "none"}
    for owner in owners:
        whose = "marketplace" if owner == ALL_SELLERS else f"sellers/{quote(owner, safe='')}"
        for start in range(0, len(names), METRICS_OF_REQUEST):
            first, *others = names[start : start + METRICS_OF_REQUEST]
            yield ApiRequest(f"/v1/{whose}/analytics/{first}{form}", query | {"with": ",".join(others)})


def owner_of(request: ApiRequest) -> str:
    """Return the owner of a request that `requests` has made."""
    _, _, whose, seller_id, *_ = request.path.split("/")
    return ALL_SELLERS if whose == "marketplace" else unquote(seller_id)


def json_rows(month_of: MonthOf, request: ApiRequest, content: bytes) -> Iterator[Row]:
    """Yield the values of each month, and those over the whole time."""
    answer = orjson.loads(content)
    owner = owner_of(request)
    yield _row(owner, "total", {total["name"]: total["value"] for total in answer["totals"]})
    for bucket in answer["series"]:
        yield _row(owner, month_of(datetime.fromisoformat(bucket["start"])), bucket["values"])


def csv_rows(currency: str, month_of: MonthOf, request: ApiRequest, content: bytes) -> Iterator[Row]:
    """Yield the values of each month, as the texts of the file; amounts of money in the smallest unit.

    An amount beside another currency than the shop's stays as it is, with its currency: it differs from each
    value of the reference.
    """
    for row in csv.DictReader(StringIO(content.decode())):
        start = datetime.fromisoformat(row.pop("start"))
        del row["end"]
        own = row.pop("currency", "")
        amounts = {
            name: str(to_minor(row[name], currency)) if own == currency else f"{row[name]} {own}"
            for name in row
            if row[name] and read_every_metric()[name].unit == "money"
        }
        yield _row(owner_of(request), month_of(start), row | amounts)


def parquet_rows(currency: str, month_of: MonthOf, request: ApiRequest, content: bytes) -> Iterator[Row]:
    """Yield the values of each month; amounts of money, which are decimals, in the smallest unit."""
    for row in pq.read_table(BytesIO(content)).to_pylist():
        start = row.pop("start")
        del row["end"]
        values = {
            name: to_minor(value, currency) if isinstance(value, Decimal) else value
            for name, value in row.items()
        }
        yield _row(owner_of(request), month_of(start), values)


def _row(owner: str, part: str, values: Values) -> Row:
    return {"owner": owner, "part": part, "values": values}
