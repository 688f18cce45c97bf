"""What the pages show, made from the figures: tiles, chart, sparklines, periods to pick. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from serving.analytics.periods import GRAIN_LENGTH, STEPS, Grain
from serving.analytics.schemas.sales import Bucket, MarketplaceSales, SellerSales, Totals
from serving.analytics.service.shop import Asked
from serving.problems import BadPeriod
from serving.web.format import Writer

Preset = Literal["7d", "30d", "90d", "12m", "all"]
PRESETS: dict[Preset, tuple[str, int | None]] = {
    "7d": ("7 days", 7),
    "30d": ("30 days", 30),
    "90d": ("90 days", 90),
    "12m": ("12 months", 365),
    "all": ("All time", None),
}
"""Preset → what it is called, and its days (None: since the first sale)."""

SPARK_WIDTH, SPARK_HEIGHT = 120, 28


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its change; picking it draws its series in the chart."""

    key: str
    label: str
    value: str
    change: float | None
    before: str
    note: str = ""
    more_is_better: bool = True

    @property
    def mood(self) -> str:
        """`good`, `bad` or `flat`: the colour of the change."""
        if not self.change:
            return "flat"
        return "good" if (self.change > 0) is self.more_is_better else "bad"


def average(bucket: Bucket) -> int | None:
    """A bucket's revenue per order, in minor units."""
    return round(bucket["revenue_minor"] / bucket["orders"]) if bucket["orders"] else None


def drawn(series: Sequence[Bucket]) -> dict[str, list[int | None]]:
    """Tile → its values over the series; money in minor units."""
    return {
        "revenue": [bucket["revenue_minor"] for bucket in series],
        "orders": [bucket["orders"] for bucket in series],
        "units": [bucket["units"] for bucket in series],
        "average": [average(bucket) for bucket in series],
        "shipping": [bucket["shipping_minor"] for bucket in series],
        "cancelled": [bucket["cancelled_orders"] for bucket in series],
    }


MONEY_TILES = ("revenue", "average", "shipping")


def including_cancelled(totals: Totals, write: Writer) -> str:
    """`incl. R$653.91 cancelled`: what of the revenue a seller will not be paid; empty when there is none."""
    gone = totals["cancelled"]["gross_minor"]
    return f"incl. {write.money(gone)} cancelled" if gone else ""


def tiles(sales: SellerSales | MarketplaceSales, write: Writer) -> list[Tile]:
    """The figures on top of the page."""
    now, before, change = sales["totals"], sales["previous"]["totals"], sales["change"]
    gone = now["cancelled"]
    return [
        Tile(
            "revenue",
            "Revenue",
            write.money(now["revenue_minor"]),
            change["revenue_minor"],
            write.money(before["revenue_minor"]),
            including_cancelled(now, write),
        ),
        Tile(
            "orders", "Orders", write.number(now["orders"]), change["orders"], write.number(before["orders"])
        ),
        Tile(
            "units", "Units sold", write.number(now["units"]), change["units"], write.number(before["units"])
        ),
        Tile(
            "average",
            "Avg. order",
            write.money(now["average_order_minor"]),
            change["average_order_minor"],
            write.money(before["average_order_minor"]),
        ),
        Tile(
            "shipping",
            "Shipping",
            write.money(now["shipping_minor"]),
            change["shipping_minor"],
            write.money(before["shipping_minor"]),
            "paid by shoppers",
        ),
        Tile(
            "cancelled",
            "Cancelled",
            write.number(gone["orders"]),
            change["cancelled_orders"],
            write.number(before["cancelled"]["orders"]),
            "or unavailable",
            more_is_better=False,
        ),
    ]


def chart(sales: SellerSales | MarketplaceSales, write: Writer) -> dict[str, Any]:
    """What `chart.js` draws; money stays in minor units, with the decimals of its currency beside it."""
    grain, series, previous = sales["grain"], sales["series"], sales["previous"]
    compared = previous["totals"]["orders"] > 0
    labels, ticks = axis([bucket["start"] for bucket in series], grain, write)
    return {
        "locale": write.locale.replace("_", "-"),
        "currency": sales["currency"],
        "money": MONEY_TILES,
        "labels": labels,
        "ticks": ticks,
        "unfinished": unfinished(series, grain, sales["as_of"], write.zone),
        "names": [write.bucket(bucket["start"], bucket["end"], grain) for bucket in series],
        "previousNames": [
            write.bucket(bucket["start"], bucket["end"], grain) for bucket in previous["series"]
        ],
        "current": drawn(series),
        "previous": drawn(previous["series"]) if compared else None,
    }


def table(sales: SellerSales, names: Sequence[str], write: Writer) -> list[tuple[str, tuple[str, ...]]]:
    """The series in words: a bucket's name, and its revenue, orders, units, shipping and cancelled orders."""
    return [
        (
            name,
            (
                write.money(bucket["revenue_minor"]),
                write.number(bucket["orders"]),
                write.number(bucket["units"]),
                write.money(bucket["shipping_minor"]),
                write.number(bucket["cancelled_orders"]),
            ),
        )
        for name, bucket in zip(names, sales["series"], strict=True)
    ]


def axis(starts: Sequence[datetime], grain: Grain, write: Writer) -> tuple[list[str], list[int] | None]:
    """Labels under a chart, and which of them to show; None leaves that to the chart.

    Hours of several days are told apart by their days: the first of each, and noon where there is room.
    """
    labels = [write.axis(start, grain) for start in starts]
    days = [start.astimezone(write.zone).date() for start in starts]
    if grain != "hour" or len(set(days)) == 1:
        return labels, None
    ticks = [index for index, day in enumerate(days) if index == 0 or day != days[index - 1]]
    for index in ticks:
        labels[index] = write.axis(starts[index], "day")
    if len(ticks) <= 4:
        ticks += [index for index, start in enumerate(starts) if start.astimezone(write.zone).hour == 12]
    return labels, sorted(ticks)


def unfinished(
    series: Sequence[Bucket], grain: Grain, as_of: datetime | None, zone: ZoneInfo
) -> dict[str, bool]:
    """Whether the first and the last bucket are cut by the period, or the last is not complete yet."""
    begins, follows = STEPS[grain]
    first, last = series[0], series[-1]
    whole_end = follows(begins(last["start"].astimezone(UTC), zone), zone)
    still_filling = as_of is not None and last["start"] <= as_of < last["end"]
    return {
        "first": begins(first["start"].astimezone(UTC), zone) < first["start"],
        "last": last["end"] < whole_end or still_filling,
    }


def sparklines(sales: SellerSales | MarketplaceSales) -> Mapping[str, str]:
    """Tile → the points of its line in a box of `SPARK_WIDTH` × `SPARK_HEIGHT`."""
    return {key: _points([value or 0 for value in values]) for key, values in drawn(sales["series"]).items()}


def _points(values: list[int]) -> str:
    top = max(values, default=0) or 1
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    height = SPARK_HEIGHT - 3
    shown = values if len(values) > 1 else values * 2
    return " ".join(
        f"{index * step:.1f},{1.5 + height - height * value / top:.1f}" for index, value in enumerate(shown)
    )


def grains(start: datetime, end: datetime) -> list[Grain]:
    """The grains that draw this period with 2 to 400 points, or the finest when none does."""
    fitting: list[Grain] = [
        grain for grain, length in GRAIN_LENGTH.items() if 2 <= (end - start) / length <= 400
    ]
    return fitting or ["hour"]


def custom_period(first: str, last: str, write: Writer) -> Asked:
    """The bounds of the days from `first` to `last`, both included; what is empty is left open.

    Raises:
        BadPeriod: one is no date, or they are the wrong way round.
    """
    begin, end = _read_day(first), _read_day(last)
    if begin and end and end < begin:
        shown = [write.calendar_day(day) for day in (begin, end)]
        raise BadPeriod(
            f"The first day ({shown[0]}) is after the last ({shown[1]}). Pick them the other way round."
        )
    return Asked(begin.isoformat() if begin else None, (end + timedelta(days=1)).isoformat() if end else None)


def _read_day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadPeriod(f"{text!r} is not a day such as 2018-08-31. Pick one from the calendar.") from error
    if not 1971 <= day.year < 2105:
        raise BadPeriod(f"{text} is too far away. Pick days between 1971 and 2104.")
    return day


def preset_period(preset: Preset, first: datetime | None, newest: datetime | None, write: Writer) -> Asked:
    """The bounds of a preset: it ends on the newest day that has data."""
    days = PRESETS[preset][1]
    if newest is None:
        return Asked()
    last = newest.astimezone(write.zone).date()
    start = last - timedelta(days=days - 1) if days else (first or newest).astimezone(write.zone).date()
    return Asked(start.isoformat(), (last + timedelta(days=1)).isoformat())
