"""Who a seller's customers are: cohorts by the month of their first order, and segments."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field
from typing_extensions import TypedDict

from common.money import divide_half_up
from serving.analytics.customer_segments import MIN_CUSTOMERS, SEGMENTS, Segment, segment_of
from serving.analytics.months import Month
from serving.kit.analytics_context import AnalyticsContext, utc_minute
from serving.kit.csv_writer import money_fields
from serving.kit.problems import UNUSABLE_PARAMETER
from serving.kit.response_types import AsOf, Minor, Stale
from serving.kit.responses import CsvFormat

MonthName = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", examples=["2018-03"])]
Share = Annotated[
    float | None, Field(description="A fraction of 1 with four decimals; null without a customer.")
]
PerCustomer = Annotated[
    Minor | None,
    Field(description="Divided by all customers of the cohort, rounded half up; null without one."),
]


class CohortMonth(TypedDict):
    """What the customers of a cohort bought in one month."""

    month: MonthName
    number: Annotated[int, Field(description="Months since the first order; 0 is the cohort's own month.")]
    complete: Annotated[
        bool, Field(description="Whether all orders of the month are counted: whether it ended by `as_of`.")
    ]
    customers: Annotated[int, Field(description="Customers of the cohort with an order in the month.")]
    retention: Annotated[
        Share,
        Field(description="`customers` as a share of the cohort. 1 in its own month; null without one."),
    ]
    orders: int
    net_sales: Annotated[
        Minor, Field(description="Of the orders of the month, less what was cancelled or refunded later.")
    ]
    cumulated_net_sales: Annotated[Minor, Field(description="Of all months of the cohort up to this one.")]
    cumulated_per_customer: PerCustomer


class Cohort(TypedDict):
    """The customers whose first order of the seller is in one month."""

    month: MonthName
    customers: Annotated[int, Field(description="As the metric `new_customers`.")]
    months: Annotated[list[CohortMonth], Field(description="From the cohort's own month to the last one.")]


class MeanRetention(TypedDict):
    """The retention so many months after the first order, over all cohorts whose month is complete."""

    number: int
    cohorts: int
    customers: Annotated[int, Field(description="All customers of these cohorts.")]
    returned: Annotated[int, Field(description="Those with an order in that month.")]
    retention: Share


class CustomerCohorts(TypedDict):
    """The customers of a seller by the month of their first order, and what they bought since."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    timezone: Annotated[str, Field(description="The months are those of this zone.")]
    first_month: MonthName
    last_month: MonthName
    cohorts: Annotated[
        list[Cohort],
        Field(description="The oldest first; months before the first order of all are left out."),
    ]
    mean_retention: Annotated[list[MeanRetention], Field(description="From number 1 on.")]
    as_of: AsOf
    stale: Stale


class ValueToDate(TypedDict):
    """The net sales of a customer from the first order on. Null without customers."""

    mean: Minor | None
    median: Annotated[
        Minor | None, Field(description="Of n customers by value, the one at position ⌊0.5 · n⌋ from 0.")
    ]
    p90: Annotated[Minor | None, Field(description="The one at position ⌊0.9 · n⌋.")]


class CustomerSegment(TypedDict):
    """Customers who bought about as recently, as often and for as much."""

    name: Annotated[str, Field(examples=["at_risk"])]
    title: Annotated[str, Field(examples=["At risk"])]
    rule: Annotated[
        str,
        Field(
            description="Its scores. Recency is the quintile of the last order, 5 the newest; value is the "
            "mean of the quintiles of the number of orders and of the net sales, rounded half up.",
            examples=["recency 1 to 2, value 3 to 4"],
        ),
    ]
    customers: int
    share: Annotated[Share, Field(description="Share of `customers` of all segments.")]
    orders: int
    net_sales: Minor
    net_sales_share: Annotated[
        float | None, Field(description="Share of `net_sales` of all segments; null if that is not above 0.")
    ]


class CustomerSegments(TypedDict):
    """The customers of a seller, over all time, by what is likely to make them buy again."""

    seller_id: str
    currency: Annotated[str, Field(examples=["BRL"])]
    customers: Annotated[
        int, Field(description="Shoppers with a confirmed order that was not cancelled; not those erased.")
    ]
    guests: Annotated[
        int,
        Field(
            description="Those of them who never registered. A guest is a customer of their own in each "
            "browser, so that one person can be several."
        ),
    ]
    erased_customers: Annotated[
        int,
        Field(
            description="Customers who were erased on their request. They are in no segment and not in "
            "`customers`: nobody can do anything for them. Their orders stay in cohorts and sales."
        ),
    ]
    orders: int
    net_sales: Minor
    value_to_date: ValueToDate
    segments: Annotated[
        list[CustomerSegment],
        Field(
            description="All segments, also empty ones, the most valuable first. None with fewer than 5 "
            "customers, because these have no quintiles. Equal values have equal scores: of n customers, a "
            "score is 1 + ⌊5 · those with a lower value ÷ n⌋."
        ),
    ]
    as_of: AsOf
    stale: Stale


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


def cohort_rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the CSV form: a row for each cohort and month."""
    for cohort in content["cohorts"]:
        for month in cohort["months"]:
            yield {
                "cohort": cohort["month"],
                "cohort_customers": cohort["customers"],
                **month,
                "complete": "true" if month["complete"] else "false",
            }


COHORTS_CSV = CsvFormat(
    ("cohort", "cohort_customers", *CohortMonth.__annotations__), cohort_rows, money_fields(CohortMonth)
)


TABLES = ("customer_orders", "sales_lines")

MAX_MONTHS = 60
"""The largest number of cohorts: five years, and 1,830 months of them."""

_NO_PLACES = ("posix/", "right/", "Factory", "localtime", "posixrules", "SystemV/")
"""Names that only some copies of the time zone database have."""


@dataclass(frozen=True, slots=True)
class CohortsRequest:
    """What is asked: the last month (None for that of the newest sale), how many months, and a time zone.

    `until` is text such as `2018-08`, and `timezone` the name of a zone; None for the shop's.
    """

    months: int = 12
    until: str | None = None
    timezone: str | None = None


async def cohorts_of_seller(
    context: AnalyticsContext, seller_id: str, request: CohortsRequest
) -> CustomerCohorts:
    """Return the cohorts of the last `months` months.

    Raises:
        BAD_PERIOD: `until` is not a month.
        UNUSABLE_PARAMETER: there is no such time zone.
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    zone = read_zone(request.timezone) if request.timezone is not None else context.zone
    until = Month.parse(request.until, "until") if request.until is not None else None
    as_of = await context.watermarks.as_of(TABLES)
    last = until or await _newest_month(context, seller_id, zone)
    first = last.plus(1 - request.months)
    rows = await context.clickhouse.rows(
        "seller_customer_cohorts",
        seller_id=seller_id,
        currency=context.currency,
        timezone=zone.key,
        first_month=first.yyyymm,
        last_month=last.yyyymm,
    )
    await context.require_seller(seller_id, rows)
    found = cohorts(rows, last, complete_months(first, last, as_of, zone))
    return {
        "seller_id": seller_id,
        "currency": context.currency,
        "timezone": zone.key,
        "first_month": str(first),
        "last_month": str(last),
        "cohorts": found,
        "mean_retention": mean_retention(found),
        "as_of": context.local(as_of),
        "stale": False,
    }


async def segments_of_seller(context: AnalyticsContext, seller_id: str) -> CustomerSegments:
    """Return the segments of all customers, over all time.

    Raises:
        UNKNOWN_SELLER: the seller never registered and never sold anything.
    """
    as_of = await context.watermarks.as_of(TABLES)
    rows = await context.clickhouse.rows(
        "seller_customer_segments", seller_id=seller_id, currency=context.currency
    )
    await context.require_seller(seller_id, rows)
    erased = [row for row in rows if int(row["is_erased"])]
    others = [row for row in rows if not int(row["is_erased"])]
    together = next((row for row in others if not int(row["recency"])), None)
    return {
        "seller_id": seller_id,
        "currency": context.currency,
        "customers": int(together["customers"]) if together else 0,
        "guests": int(together["guests"]) if together else 0,
        "erased_customers": sum(int(row["customers"]) for row in erased if not int(row["recency"])),
        "orders": int(together["orders"]) if together else 0,
        "net_sales": int(together["net_sales"]) if together else 0,
        "value_to_date": value_to_date(together),
        "segments": segments(row for row in others if int(row["recency"])),
        "as_of": context.local(as_of),
        "stale": False,
    }


async def _newest_month(context: AnalyticsContext, seller_id: str, zone: ZoneInfo) -> Month:
    newest = utc_minute((await context.seller_span(seller_id)).newest)
    return Month.of((newest or context.clock()).astimezone(zone))


def read_zone(name: str) -> ZoneInfo:
    """Return the time zone of a name.

    Raises:
        UNUSABLE_PARAMETER: there is none.
    """
    if name not in _zones():
        raise UNUSABLE_PARAMETER(
            detail=f"There is no time zone {name!r}. Send a name of the IANA database, such as "
            "America/Sao_Paulo."
        )
    return ZoneInfo(name)


def complete_months(first: Month, last: Month, as_of: datetime | None, zone: ZoneInfo) -> frozenset[Month]:
    """Return the months from first to last that had ended by `as_of`; none if it is None."""
    months = (first.plus(number) for number in range(last.since(first) + 1))
    return frozenset(month for month in months if as_of is not None and month.end(zone) <= as_of)


@cache
def _zones() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if not name.startswith(_NO_PLACES))
