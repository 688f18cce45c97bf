"""Returns who a seller's customers are: cohorts by the month of their first order, and segments."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from serving.analytics.months import Month
from serving.analytics.presenters import customers as presenter
from serving.analytics.schemas.customers import CustomerCohorts, CustomerSegments
from serving.kit.analytics_context import AnalyticsContext, utc_minute
from serving.kit.problems import UNUSABLE_PARAMETER

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


class CustomersService:
    """Returns figures of all customers together. No answer has the id of one."""

    def __init__(self, context: AnalyticsContext) -> None:
        self._context = context

    async def cohorts_of_seller(self, seller_id: str, request: CohortsRequest) -> CustomerCohorts:
        """Return the cohorts of the last `months` months.

        Raises:
            BAD_PERIOD: `until` is not a month.
            UNUSABLE_PARAMETER: there is no such time zone.
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        zone = read_zone(request.timezone) if request.timezone is not None else self._context.zone
        until = Month.parse(request.until, "until") if request.until is not None else None
        as_of = await self._context.watermarks.as_of(TABLES)
        last = until or await self._newest_month(seller_id, zone)
        first = last.plus(1 - request.months)
        rows = await self._context.clickhouse.rows(
            "seller_customer_cohorts",
            seller_id=seller_id,
            currency=self._context.currency,
            timezone=zone.key,
            first_month=first.yyyymm,
            last_month=last.yyyymm,
        )
        await self._context.require_seller(seller_id, rows)
        cohorts = presenter.cohorts(rows, last, complete_months(first, last, as_of, zone))
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            "timezone": zone.key,
            "first_month": str(first),
            "last_month": str(last),
            "cohorts": cohorts,
            "mean_retention": presenter.mean_retention(cohorts),
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def segments_of_seller(self, seller_id: str) -> CustomerSegments:
        """Return the segments of all customers, over all time.

        Raises:
            UNKNOWN_SELLER: the seller never registered and never sold anything.
        """
        as_of = await self._context.watermarks.as_of(TABLES)
        rows = await self._context.clickhouse.rows(
            "seller_customer_segments", seller_id=seller_id, currency=self._context.currency
        )
        await self._context.require_seller(seller_id, rows)
        erased = [row for row in rows if int(row["is_erased"])]
        others = [row for row in rows if not int(row["is_erased"])]
        together = next((row for row in others if not int(row["recency"])), None)
        return {
            "seller_id": seller_id,
            "currency": self._context.currency,
            "customers": int(together["customers"]) if together else 0,
            "guests": int(together["guests"]) if together else 0,
            "erased_customers": sum(int(row["customers"]) for row in erased if not int(row["recency"])),
            "orders": int(together["orders"]) if together else 0,
            "net_sales": int(together["net_sales"]) if together else 0,
            "value_to_date": presenter.value_to_date(together),
            "segments": presenter.segments(row for row in others if int(row["recency"])),
            "as_of": self._context.local(as_of),
            "stale": False,
        }

    async def _newest_month(self, seller_id: str, zone: ZoneInfo) -> Month:
        newest = utc_minute((await self._context.seller_span(seller_id)).newest)
        return Month.of((newest or self._context.clock()).astimezone(zone))


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
