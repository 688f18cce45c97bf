"""Turns figures into the content of pages: tiles, chart, sparklines, and the periods to choose. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from clickhouse.metric_catalogue.definition import read_catalogue
from common.money import divide_half_up, minor_digits
from serving.analytics.sales_schemas import Bucket, MarketplaceSales, SellerSales, Totals
from serving.kit.analytics_context import PeriodRequest
from serving.kit.periods import BUCKET_BOUNDS, GRAIN_LENGTH, Grain
from serving.kit.problems import BAD_PERIOD
from serving.web.formatter import Formatter
from serving.web.translation import N_, gettext, translated

Preset = Literal["today", "7d", "30d", "month", "90d", "12m", "all"]
PRESETS: dict[Preset, tuple[str, int | None]] = {
    "today": (N_("Today"), None),
    "7d": (N_("7 days"), 7),
    "30d": (N_("30 days"), 30),
    "month": (N_("This month"), None),
    "90d": (N_("90 days"), 90),
    "12m": (N_("12 months"), 365),
    "all": (N_("All time"), None),
}
"""Preset → its label, and its number of days if they end on the newest day that has data."""

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


FIGURES: Mapping[str, tuple[str, str, str]] = {
    "net_sales": ("net_sales_minor", "net_sales", ""),
    "orders": ("orders", "orders", ""),
    "units": ("units", "units", ""),
    "average": ("average_order_minor", "average_order_value", ""),
    "shipping": ("shipping_minor", "shipping", N_("paid by shoppers")),
    "cancelled": ("cancelled_orders", "cancelled_orders", N_("or unavailable")),
}
"""Key of a tile → the field of its change, its metric, and its note. An amount's field ends in `_minor`."""

DAYS = ("from", "until", "to")
"""The parameters of a period that is chosen by days."""

PERIOD = ("period", *DAYS)
"""The parameters of a period."""


def metric_title(name: str) -> str:
    """Return the title of a metric of the catalogue in the language of the page."""
    return translated(read_catalogue()[name].title)


MONEY_TILES = tuple(key for key, (field, _, _) in FIGURES.items() if field.endswith("_minor"))
_IN_TABLE = ("net_sales", "orders", "units", "shipping", "cancelled")
TABLE_METRICS = tuple(FIGURES[key][1] for key in _IN_TABLE)
"""The metrics in the columns of `table`."""


def chart_values(series: Sequence[Bucket], drawn: range | None = None) -> dict[str, list[int | None]]:
    """Return the values of each tile over the series, None outside `drawn`; money in minor units."""
    return {
        key: [
            _of_bucket(bucket, key) if drawn is None or index in drawn else None
            for index, bucket in enumerate(series)
        ]
        for key in FIGURES
    }


def _of_bucket(bucket: Bucket, key: str) -> int | None:
    """Return the value of a tile in a bucket; that of an average is None without an order."""
    if key != "average":
        return int(bucket[FIGURES[key][0]])  # type: ignore[literal-required]
    orders = bucket["orders"] - bucket["cancelled_orders"]
    return divide_half_up(bucket["net_sales_minor"], orders) if orders > 0 else None


def _of_totals(totals: Totals, key: str) -> int | None:
    if key == "cancelled":
        return totals["cancelled"]["orders"]
    value: int | None = totals[FIGURES[key][0]]  # type: ignore[literal-required]
    return value


def _text(key: str, value: int | None, formatter: Formatter) -> str:
    return formatter.money(value) if key in MONEY_TILES else formatter.number(value or 0)


def net_sales_note(totals: Totals, formatter: Formatter) -> str:
    """Return what net sales consist of, as `R$1,200.00 less R$90.00 cancelled`; empty without losses."""
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
    now, before = sales["totals"], sales["compared"]["totals"]
    return [
        FigureTile(
            key,
            metric_title(metric),
            _text(key, _of_totals(now, key), formatter),
            sales["change"][field],  # type: ignore[literal-required]
            _text(key, _of_totals(before, key), formatter),
            net_sales_note(now, formatter) if key == "net_sales" else note and translated(note),
            more_is_better=key != "cancelled",
        )
        for key, (field, metric, note) in FIGURES.items()
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
    """Return the drawn buckets as text: name, then the value of each of `TABLE_METRICS`."""
    return [
        (
            names[index],
            tuple(_text(key, _of_bucket(sales["series"][index], key), formatter) for key in _IN_TABLE),
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
        BAD_PERIOD: a bound is not a date, or `first` is after `last`.
    """
    begin, end = _read_day(first), _read_day(last)
    if begin and end and end < begin:
        shown = [formatter.calendar_day(day) for day in (begin, end)]
        raise BAD_PERIOD(
            detail=gettext(
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
        raise BAD_PERIOD(
            detail=gettext(
                "“%(text)s” is not a day such as 2018-08-31. Pick one from the calendar.", text=text
            )
        ) from error
    if not 1971 <= day.year < 2105:
        raise BAD_PERIOD(
            detail=gettext("%(text)s is too far away. Pick days between 1971 and 2104.", text=text)
        )
    return day


def preset_period(
    preset: Preset, first: datetime | None, newest: datetime | None, now: datetime, formatter: Formatter
) -> PeriodRequest:
    """Return the bounds of a preset: the day or the month of `now`, or days up to the newest that has data.

    `first` and `newest` are the times of the first and of the newest sale; None without sales.
    """
    today, days = now.astimezone(formatter.zone).date(), PRESETS[preset][1]
    if preset == "today":
        return PeriodRequest(today.isoformat(), (today + timedelta(days=1)).isoformat())
    if preset == "month":
        month = today.replace(day=1)
        return PeriodRequest(month.isoformat(), (month + timedelta(days=32)).replace(day=1).isoformat())
    if newest is None:
        return PeriodRequest()
    last = newest.astimezone(formatter.zone).date()
    start = last - timedelta(days=days - 1) if days else (first or newest).astimezone(formatter.zone).date()
    return PeriodRequest(start.isoformat(), (last + timedelta(days=1)).isoformat())


def last_day(end: datetime) -> str:
    """Return the last day of a period, as an ISO date, from its exclusive end."""
    return (end - timedelta(minutes=1)).date().isoformat()


def same_period(choices: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return the choices of a page that another page about the same period needs, too."""
    return {name: choices[name] for name in (*PERIOD, "compare") if name in choices}
