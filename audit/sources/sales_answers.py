"""The API's sales: what is asked, and the rows in an answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from audit.sources.api import Question, Row

Grain = Literal["month", "day"]

SUMS = ("orders", "lines", "units", "gross_minor", "discount_minor", "shipping_minor")

CLICKHOUSE_FORMAT: dict[Grain, str] = {"month": "%Y-%m", "day": "%Y-%m-%d"}
"""Grain → how ClickHouse writes the name of a bucket."""

_NAME_LENGTH: dict[Grain, int] = {"month": len("2018-06"), "day": len("2018-06-01")}


@dataclass(frozen=True)
class Span:
    """Days from `first` (included) to `last` (excluded)."""

    first: date
    last: date

    @classmethod
    def of_months(cls, first_bucket: str, last_bucket: str) -> "Span":
        """The whole months from that of the first bucket (`2018-06-17` or `2018-06`) to that of the last."""
        last = date.fromisoformat(f"{last_bucket[:7]}-28") + timedelta(days=4)
        return cls(date.fromisoformat(f"{first_bucket[:7]}-01"), last.replace(day=1))


def sales_question(of: str, span: Span, grain: Grain) -> Question:
    """Ask for the sales `of` (`sellers/<id>`, `marketplace`) in a span of the shop's days."""
    query = {"from": str(span.first), "to": str(span.last), "grain": grain}
    return Question(f"/v1/{of}/sales", query)


def series_rows(grain: Grain, answer: Any) -> Iterator[Row]:
    """The buckets of an answer in which anything happened: seller_id, bucket, the sums, the cancelled."""
    figures = (*SUMS, "cancelled_orders", "cancelled_gross_minor")
    for bucket in answer["series"]:
        row = {name: bucket[name] for name in figures}
        if any(row.values()):
            yield {
                "seller_id": answer.get("seller_id"),
                "bucket": bucket["start"][: _NAME_LENGTH[grain]],
                **row,
            }


def totals_row(answer: Any) -> Row:
    """The totals of an answer, named as the columns of a series."""
    totals = answer["totals"]
    return {
        "seller_id": answer.get("seller_id"),
        **{name: totals[name] for name in SUMS},
        "cancelled_orders": totals["cancelled"]["orders"],
        "cancelled_gross_minor": totals["cancelled"]["gross_minor"],
    }
