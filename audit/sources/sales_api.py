"""Requests for sales from the API, and the rows of its responses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from audit.sources.api import ApiRequest, Row

Grain = Literal["month", "day"]

SUMS = ("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor", "net_sales_minor")
LOSSES = ("cancelled_orders", "cancelled_gross_minor", "cancelled_discount_minor", "returned_minor")
FIGURES = (*SUMS, *LOSSES)

CLICKHOUSE_FORMAT: dict[Grain, str] = {"month": "%Y-%m", "day": "%Y-%m-%d"}
"""Grain → ClickHouse's format of a bucket's name."""

MAX_DAYS = 1_000
"""Days of one request: the API answers with at most 1,200 buckets. A replayed past and a shop that is open
now may lie further apart."""

_NAME_LENGTH: dict[Grain, int] = {"month": len("2018-06"), "day": len("2018-06-01")}


@dataclass(frozen=True)
class DayRange:
    """Days from `first` (included) to `last` (excluded)."""

    first: date
    last: date

    @classmethod
    def of_months(cls, first_bucket: str, last_bucket: str) -> "DayRange":
        """Return the whole months from the first bucket (`2018-06-17` or `2018-06`) to the last."""
        last = date.fromisoformat(f"{last_bucket[:7]}-28") + timedelta(days=4)
        return cls(date.fromisoformat(f"{first_bucket[:7]}-01"), last.replace(day=1))

    def parts(self, days: int = MAX_DAYS) -> Iterator["DayRange"]:
        """Yield ranges of at most `days` days that together are this one."""
        first = self.first
        while first < self.last:
            last = min(self.last, first + timedelta(days=days))
            yield DayRange(first, last)
            first = last


def sales_request(of: str, days: DayRange, grain: Grain) -> ApiRequest:
    """Request the sales `of` (`sellers/<id>` or `marketplace`) in a range of the shop's days."""
    return ApiRequest(f"/v1/{of}/sales", {"from": str(days.first), "to": str(days.last), "grain": grain})


def bucket_name(bucket: Any, grain: Grain) -> str:
    """Return the name of a bucket of an answer, such as `2018-06`."""
    return str(bucket["start"][: _NAME_LENGTH[grain]])


def series_rows(grain: Grain, answer: Any) -> Iterator[Row]:
    """Yield the buckets of an answer that are not all 0: seller_id, bucket, the sums, the losses."""
    for bucket in answer["series"]:
        row = {name: bucket[name] for name in FIGURES}
        if any(row.values()):
            yield {
                "seller_id": answer.get("seller_id"),
                "bucket": bucket_name(bucket, grain),
                **row,
            }


def totals_row(answer: Any) -> Row:
    """Return the totals of an answer with the names of a series' columns."""
    totals = answer["totals"]
    return {
        "seller_id": answer.get("seller_id"),
        **{name: totals[name] for name in SUMS},
        "cancelled_orders": totals["cancelled"]["orders"],
        "cancelled_gross_minor": totals["cancelled"]["gross_minor"],
        "cancelled_discount_minor": totals["cancelled"]["discount_minor"],
        "returned_minor": totals["returned"]["refund_minor"],
    }
