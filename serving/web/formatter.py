"""Formats money, numbers, changes and times in the shop's locale.

Formatted texts are cached. Most figures of a page are of past days and do not change. Without the cache,
formatting took two thirds of the time of a page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent, get_minus_sign_symbol

from common.money import format_money
from serving.kit.periods import Grain
from serving.web.language import current_language
from serving.web.translation import N_, gettext, translated

MAX_SHORT_ID = 14
"""Ids up to this length are shown in full."""

MANY_TIMES = 10
"""A change to at least so many times as much is written as a multiple."""

CACHED_TEXTS = 4_096
"""The number of cached texts of each of five kinds: about 1 MB each."""


@dataclass(frozen=True, slots=True)
class Formatter:
    """Formats for one locale, currency and time zone. Datetimes must be aware."""

    locale: str
    currency: str
    zone: ZoneInfo
    category: Callable[[str | None], str] = field(default=lambda category: words(category), compare=False)
    """Returns the name of a category; empty for None."""

    def category_label(self, category: str | None) -> str:
        """Return the name of a category, or that there is none."""
        return self.category(category) or gettext("Uncategorised")

    def money(self, minor: int | None) -> str:
        """Return `R$1,299.00`; a dash for None."""
        return "–" if minor is None else _money(minor, self.currency, self.locale)

    def number(self, value: float) -> str:
        """Return `99,441`, or `1.234` with at most three decimals."""
        return _number(value, locale=self.locale)

    def hours(self, hours: float) -> str:
        """Return a duration in hours with a decimal, in days from 72 hours on, in minutes below an hour."""
        if abs(hours) < 1 / 60:
            return f"{format_decimal(round(hours * 3600), '#,##0', locale=self.locale)} s"
        if abs(hours) < 1:
            return f"{format_decimal(round(hours * 60), '#,##0', locale=self.locale)} min"
        if abs(hours) < 72:
            return f"{format_decimal(round(hours, 1), '#,##0.0', locale=self.locale)} h"
        return f"{format_decimal(round(hours / 24, 1), '#,##0.0', locale=self.locale)} d"

    def percent(self, ratio: float) -> str:
        """Return `12.3%` without a sign, and without decimals from 100 % on."""
        size = abs(ratio)
        return format_percent(size, format="#,##0%" if size >= 1 else "#,##0.0%", locale=self.locale)

    def change(self, ratio: float) -> str:
        """Return a relative change as `percent`, and from ten times as much on as `13×`."""
        if ratio < MANY_TIMES - 1:
            return self.percent(ratio)
        return f"{format_decimal(round(1 + ratio), '#,##0', locale=self.locale)}×"

    def country(self, code: str) -> str:
        """Return `Brazil (BR)` in the language of the page; an unknown code as it is."""
        name = Locale.parse(current_language()).territories.get(code)
        return f"{name} ({code})" if name else code

    def share(self, ratio: float) -> str:
        """Return `12.3%`, or `-12.3%` if it is below 0, with the decimals of `percent`."""
        sign = get_minus_sign_symbol(self.locale) if ratio < 0 else ""
        return f"{sign}{self.percent(ratio)}"

    def day(self, moment: datetime) -> str:
        """Return `Aug 29, 2018`."""
        return self.calendar_day(moment.astimezone(self.zone).date())

    def calendar_day(self, day: date) -> str:
        """Return `Aug 29, 2018`."""
        return _day(day, "medium", locale=self.locale)

    def time(self, moment: datetime) -> str:
        """Return `Aug 29, 2018, 9:14 AM`, to the minute."""
        minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
        return _time(minute, _minute(self.locale), self.zone, locale=self.locale)

    def exact(self, moment: datetime) -> str:
        """Return `2018-08-29T09:14:35.000-03:00`."""
        return moment.astimezone(self.zone).isoformat(timespec="milliseconds")

    def ago(self, moment: datetime, now: datetime) -> str:
        """Return `3 minutes ago`; `just now` up to ten seconds."""
        if now - moment < timedelta(seconds=10):
            return gettext("just now")
        return format_timedelta(moment - now, add_direction=True, locale=self.locale)

    def span(self, start: datetime, end: datetime) -> str:
        """Return a period in words. A period that ends at midnight ends with the day before."""
        first, last = start.astimezone(self.zone), (end - timedelta(minutes=1)).astimezone(self.zone)
        if first.date() == last.date():
            return self.day(first)
        if first.year == last.year:
            return f"{self._skeleton('MMMd', first)} – {self.day(last)}"
        return f"{self.day(first)} – {self.day(last)}"

    def axis(self, start: datetime, grain: Grain) -> str:
        """Return the short label of a bucket under a chart."""
        local = start.astimezone(self.zone)
        if grain == "hour":
            return format_time(local, "short", tzinfo=self.zone, locale=self.locale)
        return self._skeleton("yMMM" if grain == "month" else "MMMd", local)

    def bucket(self, start: datetime, end: datetime, grain: Grain) -> str:
        """Return the full name of a bucket. If the clocks repeat its hour, the name has the UTC offset."""
        local = start.astimezone(self.zone)
        if grain == "hour":
            is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
            return f"{self.time(local)} (UTC{local.isoformat()[-6:]})" if is_repeated else self.time(local)
        if grain == "day":
            return self._skeleton("yMMMEd", local)
        return self.span(start, end)

    def _skeleton(self, skeleton: str, moment: datetime) -> str:
        return _skeleton(skeleton, moment.astimezone(UTC), self.zone, locale=self.locale)


_cached = lru_cache(CACHED_TEXTS)
_money = _cached(format_money)
_number = _cached(format_decimal)
_day = _cached(format_date)
_time = _cached(format_datetime)
_skeleton = _cached(format_skeleton)


@lru_cache(maxsize=8)
def _minute(locale: str) -> str:
    """Return the locale's medium date-and-time pattern without seconds."""
    parsed = Locale.parse(locale)
    joined: str = parsed.datetime_formats["medium"]
    return joined.replace("{1}", parsed.date_formats["medium"].pattern).replace(
        "{0}", parsed.time_formats["short"].pattern
    )


def words(identifier: str | None) -> str:
    """Return an identifier as words: `watches_gifts` → `Watches gifts`."""
    text = (identifier or "").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def place(city: str | None, state: str | None) -> str:
    """Return `Sao Paulo, SP`; empty if neither is known."""
    town = " ".join(word.capitalize() if len(word) > 2 else word for word in (city or "").split())
    return ", ".join(part for part in (town[:1].upper() + town[1:], state) if part)


def seller_name(name: str | None, seller_id: str) -> str:
    """Return the seller's name, or the beginning of the id."""
    return name or gettext("Seller %(id)s", id=seller_id[:8])


def short_id(text: str) -> str:
    """Return the end of a long id. UUIDs of version 7 begin with the time and differ at the end."""
    return text if len(text) <= MAX_SHORT_ID else text[-8:]


def label(product: Any, category: Callable[[str | None], str]) -> str:
    """Return the name of a product, else that of its category, else its short id.

    `product` is a mapping or an object with `name`, `category` and `product_id`.
    """
    get = product.get if isinstance(product, Mapping) else partial(getattr, product)
    return str(
        get("name")
        or category(get("category"))
        or gettext("Product %(id)s", id=short_id(str(get("product_id"))))
    )


_BROWSERS = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox")),
    *(("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("Chromium", "Chromium"), ("CriOS", "Chrome")),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Macintosh", "macOS"), ("Linux", "Linux")),
)
"""Words of `User-Agent` and the names they stand for. Several words are in most of these headers: the first
one that is found counts."""


MAX_PRODUCT_CHARS = 40


def device_name(user_agent: str) -> str:
    """Return `Firefox on Linux` without what is not recognised; if neither is, the first product's name.

    A program such as `curl/8.5` has no more than that. Without a name, it is an `Unknown device`.
    """
    browser = next((name for word, name in _BROWSERS if word in user_agent), "")
    system = next((name for word, name in _SYSTEMS if word in user_agent), "")
    product = user_agent.partition("/")[0].strip()[:MAX_PRODUCT_CHARS]
    return " on ".join(part for part in (browser, system) if part) or product or N_("Unknown device")


def shown_device(name: str | None) -> str:
    """Return the name of a device in the language of the page."""
    browser, on, system = (name or "Unknown device").partition(" on ")
    if on:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return translated(browser)
