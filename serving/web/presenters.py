"""Turns figures into the content of pages: tiles, chart, sparklines, and the periods to choose. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from common.money import minor_digits
from serving.analytics.schemas.sales import Bucket, MarketplaceSales, SellerSales, Totals
from serving.kit.analytics_context import PeriodRequest
from serving.kit.periods import BUCKET_BOUNDS, GRAIN_LENGTH, Grain
from serving.kit.problems import BadPeriod
from serving.web.formatter import Formatter
from serving.web.translation import N_, gettext

Preset = Literal["7d", "30d", "90d", "12m", "all"]
PRESETS: dict[Preset, tuple[str, int | None]] = {
    "7d": (N_("7 days"), 7),
    "30d": (N_("30 days"), 30),
    "90d": (N_("90 days"), 90),
    "12m": (N_("12 months"), 365),
    "all": (N_("All time"), None),
}
"""Preset → its label and its number of days (None: since the first sale)."""

SPARK_WIDTH, SPARK_HEIGHT = 120, 28


@dataclass(frozen=True, slots=True)
class FigureTile:
    """One figure on top of a page, with its change. A click on it draws its series in the chart."""

    key: str
    label: str
    value: str
    change: float | None
    before: str
    note: str = ""
    more_is_better: bool = True

    @property
    def tone(self) -> str:
        """The colour of the change: `good`, `bad` or `flat`."""
        if not self.change:
            return "flat"
        return "good" if (self.change > 0) is self.more_is_better else "bad"


def average(bucket: Bucket) -> int | None:
    """Return a bucket's revenue per order that was not cancelled, in minor units."""
    orders = bucket["orders"] - bucket["cancelled_orders"]
    return round(bucket["revenue_minor"] / orders) if orders > 0 else None


def drawn_buckets(series: Sequence[Bucket], as_of: datetime | None, since: datetime | None = None) -> range:
    """Return the indices of the buckets that a chart draws: without those before `since` or after `as_of`.

    A bucket with orders is always drawn. If nothing would be left, all buckets are drawn.
    """
    first, last = 0, len(series) - 1
    while first < last and since and series[first]["end"] <= since and not series[first]["orders"]:
        first += 1
    while last > first and as_of and series[last]["start"] > as_of and not series[last]["orders"]:
        last -= 1
    if as_of and series[first]["start"] > as_of and not series[first]["orders"]:
        return range(len(series))
    return range(first, last + 1)


def chart_values(series: Sequence[Bucket], drawn: range | None = None) -> dict[str, list[int | None]]:
    """Return the values of each tile over the series, None outside `drawn`; money in minor units."""
    values: dict[str, list[int | None]] = {
        "revenue": [bucket["revenue_minor"] for bucket in series],
        "orders": [bucket["orders"] for bucket in series],
        "units": [bucket["units"] for bucket in series],
        "average": [average(bucket) for bucket in series],
        "shipping": [bucket["shipping_minor"] for bucket in series],
        "cancelled": [bucket["cancelled_orders"] for bucket in series],
    }
    if drawn is None:
        return values
    return {
        key: [value if index in drawn else None for index, value in enumerate(each)]
        for key, each in values.items()
    }


MONEY_TILES = ("revenue", "average", "shipping")


def revenue_note(totals: Totals, formatter: Formatter) -> str:
    """Return what revenue consists of, such as `R$1,200.00 less R$90.00 cancelled`; empty without losses."""
    cancelled = totals["cancelled"]["gross_minor"] - totals["cancelled"]["discount_minor"]
    lost = [
        gettext(text, amount=formatter.money(minor))
        for minor, text in (
            (cancelled, N_("%(amount)s cancelled")),
            (totals["returned"]["refund_minor"], N_("%(amount)s returned")),
        )
        if minor
    ]
    sold = totals["gross_minor"] - totals["discount_minor"]
    return gettext("%(sold)s less %(lost)s", sold=formatter.money(sold), lost=", ".join(lost)) if lost else ""


def figure_tiles(sales: SellerSales | MarketplaceSales, formatter: Formatter) -> list[FigureTile]:
    """Return the tiles on top of the page."""
    now, before, change = sales["totals"], sales["compared"]["totals"], sales["change"]
    cancelled = now["cancelled"]
    return [
        FigureTile(
            "revenue",
            gettext("Revenue"),
            formatter.money(now["revenue_minor"]),
            change["revenue_minor"],
            formatter.money(before["revenue_minor"]),
            revenue_note(now, formatter),
        ),
        FigureTile(
            "orders",
            gettext("Orders"),
            formatter.number(now["orders"]),
            change["orders"],
            formatter.number(before["orders"]),
        ),
        FigureTile(
            "units",
            gettext("Units sold"),
            formatter.number(now["units"]),
            change["units"],
            formatter.number(before["units"]),
        ),
        FigureTile(
            "average",
            gettext("Avg. order"),
            formatter.money(now["average_order_minor"]),
            change["average_order_minor"],
            formatter.money(before["average_order_minor"]),
        ),
        FigureTile(
            "shipping",
            gettext("Shipping"),
            formatter.money(now["shipping_minor"]),
            change["shipping_minor"],
            formatter.money(before["shipping_minor"]),
            gettext("paid by shoppers"),
        ),
        FigureTile(
            "cancelled",
            gettext("Cancelled"),
            formatter.number(cancelled["orders"]),
            change["cancelled_orders"],
            formatter.number(before["cancelled"]["orders"]),
            gettext("or unavailable"),
            more_is_better=False,
        ),
    ]


def chart(
    sales: SellerSales | MarketplaceSales, formatter: Formatter, since: datetime | None = None
) -> dict[str, Any]:
    """Return what `chart.js` draws, from `since` to `as_of`; money is in minor units."""
    grain, series, previous = sales["grain"], sales["series"], sales["previous"]
    drawn = drawn_buckets(series, sales["as_of"], since)
    compared = previous["totals"]["orders"] > 0
    labels, ticks = axis([bucket["start"] for bucket in series], grain, formatter)
    return {
        "locale": formatter.locale.replace("_", "-"),
        "currency": sales["currency"],
        "minorDigits": minor_digits(sales["currency"]),
        "money": MONEY_TILES,
        "labels": labels,
        "ticks": ticks,
        "drawn": [drawn[0], drawn[-1]],
        "unfinished": unfinished([series[index] for index in drawn], grain, sales["as_of"], formatter.zone),
        "names": [formatter.bucket(bucket["start"], bucket["end"], grain) for bucket in series],
        "previousNames": [
            formatter.bucket(bucket["start"], bucket["end"], grain) for bucket in previous["series"]
        ],
        "current": chart_values(series, drawn),
        "previous": chart_values(previous["series"]) if compared else None,
    }


def table(
    sales: SellerSales, names: Sequence[str], drawn: Sequence[int], formatter: Formatter
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the drawn buckets as text: name, then revenue, orders, units, shipping and cancelled orders."""
    series = sales["series"]
    return [
        (
            names[index],
            (
                formatter.money(series[index]["revenue_minor"]),
                formatter.number(series[index]["orders"]),
                formatter.number(series[index]["units"]),
                formatter.money(series[index]["shipping_minor"]),
                formatter.number(series[index]["cancelled_orders"]),
            ),
        )
        for index in range(drawn[0], drawn[-1] + 1)
    ]


def axis(
    starts: Sequence[datetime], grain: Grain, formatter: Formatter
) -> tuple[list[str], list[int] | None]:
    """Return the labels under a chart and the indices of those to show; with None, the chart chooses.

    If the buckets are hours of several days, the first hour of each day is labelled with the day. With few
    days, noon has a label too.
    """
    labels = [formatter.axis(start, grain) for start in starts]
    days = [start.astimezone(formatter.zone).date() for start in starts]
    if grain != "hour" or len(set(days)) == 1:
        return labels, None
    ticks = [index for index, day in enumerate(days) if index == 0 or day != days[index - 1]]
    for index in ticks:
        labels[index] = formatter.axis(starts[index], "day")
    if len(ticks) <= 4:
        ticks += [index for index, start in enumerate(starts) if start.astimezone(formatter.zone).hour == 12]
    return labels, sorted(ticks)


def unfinished(
    series: Sequence[Bucket], grain: Grain, as_of: datetime | None, zone: ZoneInfo
) -> dict[str, bool]:
    """Return whether the first or the last bucket is cut by the period, or the last is not complete yet."""
    bucket_start, next_start = BUCKET_BOUNDS[grain]
    first, last = series[0], series[-1]
    full_end = next_start(bucket_start(last["start"].astimezone(UTC), zone), zone)
    still_filling = as_of is not None and last["start"] <= as_of < last["end"]
    return {
        "first": bucket_start(first["start"].astimezone(UTC), zone) < first["start"],
        "last": last["end"] < full_end or still_filling,
    }


def sparklines(sales: SellerSales | MarketplaceSales, drawn: Sequence[int]) -> Mapping[str, str]:
    """Return the points of each tile's line over the drawn buckets, in `SPARK_WIDTH` × `SPARK_HEIGHT`."""
    values = chart_values(sales["series"])
    return {key: _points([value or 0 for value in each], drawn) for key, each in values.items()}


def _points(values: list[int], drawn: Sequence[int]) -> str:
    top = max(values, default=0) or 1
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    height = SPARK_HEIGHT - 3
    shown = list(enumerate(values))[drawn[0] : drawn[-1] + 1]
    if len(shown) == 1:
        shown = [(0, shown[0][1]), (max(len(values) - 1, 1), shown[0][1])]
    return " ".join(f"{index * step:.1f},{1.5 + height - height * value / top:.1f}" for index, value in shown)


def grains(start: datetime, end: datetime) -> list[Grain]:
    """Return the grains that draw this period with 2 to 400 points; the finest if none does."""
    fitting: list[Grain] = [
        grain for grain, length in GRAIN_LENGTH.items() if 2 <= (end - start) / length <= 400
    ]
    return fitting or ["hour"]


def custom_period(first: str, last: str, formatter: Formatter) -> PeriodRequest:
    """Return the bounds of the days from `first` to `last`, both inclusive. An empty bound stays open.

    Raises:
        BadPeriod: a bound is not a date, or `first` is after `last`.
    """
    begin, end = _read_day(first), _read_day(last)
    if begin and end and end < begin:
        shown = [formatter.calendar_day(day) for day in (begin, end)]
        raise BadPeriod(
            gettext(
                "The first day (%(first)s) is after the last (%(last)s). Pick them the other way round.",
                first=shown[0],
                last=shown[1],
            )
        )
    return PeriodRequest(
        begin.isoformat() if begin else None, (end + timedelta(days=1)).isoformat() if end else None
    )


def _read_day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadPeriod(
            gettext("“%(text)s” is not a day such as 2018-08-31. Pick one from the calendar.", text=text)
        ) from error
    if not 1971 <= day.year < 2105:
        raise BadPeriod(gettext("%(text)s is too far away. Pick days between 1971 and 2104.", text=text))
    return day


def preset_period(
    preset: Preset, first: datetime | None, newest: datetime | None, formatter: Formatter
) -> PeriodRequest:
    """Return the bounds of a preset, which ends on the newest day that has data."""
    days = PRESETS[preset][1]
    if newest is None:
        return PeriodRequest()
    last = newest.astimezone(formatter.zone).date()
    start = last - timedelta(days=days - 1) if days else (first or newest).astimezone(formatter.zone).date()
    return PeriodRequest(start.isoformat(), (last + timedelta(days=1)).isoformat())
