"""Shapes rows of the queries about customers into cohorts and segments. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from common.money import divide_half_up
from serving.analytics.customer_segments import MIN_CUSTOMERS, SEGMENTS, Segment, segment_of
from serving.analytics.months import Month
from serving.analytics.schemas.customers import (
    Cohort,
    CohortMonth,
    CustomerSegment,
    MeanRetention,
    ValueToDate,
)

Row = Mapping[str, Any]
SCALE = 10_000
"""A share has four decimals."""


def cohorts(rows: Sequence[Row], last: Month, complete: Collection[Month]) -> list[Cohort]:
    """Return every cohort from the first one that has customers to the one of the last month.

    `rows` are those of the query `seller_customer_cohorts`; `complete` are the months whose orders are all
    counted.
    """
    found: dict[Month, dict[Month, Row]] = defaultdict(dict)
    for row in rows:
        found[Month.of_yyyymm(int(row["cohort"]))][Month.of_yyyymm(int(row["month"]))] = row
    if not found:
        return []
    first = min(found)
    return [
        _cohort(month, found.get(month, {}), last, complete)
        for month in (first.plus(number) for number in range(last.since(first) + 1))
    ]


def _cohort(own: Month, bought: Mapping[Month, Row], last: Month, complete: Collection[Month]) -> Cohort:
    size = int(bought[own]["customers"]) if own in bought else 0
    months: list[CohortMonth] = []
    cumulated = 0
    for number in range(last.since(own) + 1):
        month = own.plus(number)
        row = bought.get(month, {"customers": 0, "orders": 0, "net_sales": 0})
        customers, net_sales = int(row["customers"]), int(row["net_sales"])
        cumulated += net_sales
        months.append(
            {
                "month": str(month),
                "number": number,
                "complete": month in complete,
                "customers": customers,
                "retention": share(customers, size),
                "orders": int(row["orders"]),
                "net_sales": net_sales,
                "cumulated_net_sales": cumulated,
                "cumulated_per_customer": divide_half_up(cumulated, size) if size else None,
            }
        )
    return {"month": str(own), "customers": size, "months": months}


def mean_retention(shown: Sequence[Cohort]) -> list[MeanRetention]:
    """Return the retention over all cohorts, by the number of months since the first order."""
    longest = max((len(cohort["months"]) for cohort in shown), default=0)
    means: list[MeanRetention] = []
    for number in range(1, longest):
        whole = [
            (cohort["customers"], cohort["months"][number]["customers"])
            for cohort in shown
            if cohort["customers"] and len(cohort["months"]) > number and cohort["months"][number]["complete"]
        ]
        if whole:
            customers, returned = (sum(column) for column in zip(*whole, strict=True))
            means.append(
                {
                    "number": number,
                    "cohorts": len(whole),
                    "customers": customers,
                    "returned": returned,
                    "retention": share(returned, customers),
                }
            )
    return means


def segments(rows: Iterable[Row]) -> list[CustomerSegment]:
    """Return every segment; none if there are too few customers for quintiles.

    `rows` are those of the query `seller_customer_segments` with scores, of customers who were not erased.
    """
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    for row in rows:
        name = segment_of(int(row["recency"]), int(row["frequency"]), int(row["monetary"])).name
        for figure in ("customers", "orders", "net_sales"):
            sums[name][figure] += int(row[figure])
            total[figure] += int(row[figure])
    if total["customers"] < MIN_CUSTOMERS:
        return []
    return [_segment(segment, sums[segment.name], total) for segment in SEGMENTS]


def _segment(segment: Segment, own: Mapping[str, int], total: Mapping[str, int]) -> CustomerSegment:
    return {
        "name": segment.name,
        "title": segment.title,
        "rule": segment.rule,
        "customers": own["customers"],
        "share": share(own["customers"], total["customers"]),
        "orders": own["orders"],
        "net_sales": own["net_sales"],
        "net_sales_share": share(own["net_sales"], total["net_sales"]),
    }


def value_to_date(row: Row | None) -> ValueToDate:
    """Return the value of a customer. `row` is the one without scores, of customers who were not erased."""
    if row is None:
        return {"mean": None, "median": None, "p90": None}
    return {
        "mean": divide_half_up(int(row["net_sales"]), int(row["customers"])),
        "median": int(row["median_net_sales"]),
        "p90": int(row["p90_net_sales"]),
    }


def share(part: int, whole: int) -> float | None:
    """Return a share with four decimals, rounded half up; None if the whole is not above 0."""
    return divide_half_up(part * SCALE, whole) / SCALE if whole > 0 else None


COHORT_COLUMNS = ("cohort", "cohort_customers", *CohortMonth.__annotations__)


def cohort_rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the CSV form: a row for each cohort and month."""
    for cohort in content["cohorts"]:
        for month in cohort["months"]:
            complete = "true" if month["complete"] else "false"
            cohort_figures = {"cohort": cohort["month"], "cohort_customers": cohort["customers"]}
            yield {**cohort_figures, **month, "complete": complete}
