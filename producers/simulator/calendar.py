"""The effect of time on visits and demand: hours, weekdays, seasons and flash sales."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from common.clock import from_millis, to_millis
from producers.feed.events import Millis
from producers.simulator.randomness import Floats, Index, named_rng
from producers.simulator.world.categories import DEPARTMENT_OF, DEPARTMENTS
from producers.simulator.world.world import World

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TRAFFIC_BIN_MS = 10 * 60_000
"""Traffic is constant within a bin."""

HOURS = np.array([.35, .22, .14, .1, .1, .16, .35, .62, .88, 1.05, 1.15, 1.2,
                  1.28, 1.2, 1.12, 1.1, 1.12, 1.18, 1.3, 1.55, 1.8, 1.85, 1.5, .8])  # fmt: skip
"""Relative traffic of each hour of the day in the shop's time zone; the sum is about 24."""

WEEKDAYS = np.array([1.06, 1.02, 1.0, 1.0, 0.96, 0.9, 1.06])
"""Relative traffic of Monday to Sunday."""

SEASONS: dict[str, tuple[float, int]] = {
    "Home": (0.1, 7), "Kitchen": (0.15, 12), "Electronics": (0.35, 11), "Fashion": (0.2, 4),
    "Sports": (0.25, 1), "Toys": (0.6, 12), "Books": (0.2, 12), "Beauty": (0.15, 5),
    "Garden": (0.45, 10), "Office": (0.3, 2),
}  # fmt: skip
"""Department → amplitude of its demand around 1, and the month of its peak."""

SALE_WEEKDAY, SALE_HOUR, SALE_HOURS = 3, 20, 2
SALE_TRAFFIC = 2.0
SALE_DEMAND = 4.0
"""Factors on visits and on the department's demand during a flash sale."""


@dataclass(frozen=True)
class FlashSale:
    """A flash sale: half of a department's products are cheaper for two hours of a Thursday evening."""

    start_ms: int
    end_ms: int
    department: int
    discount: float
    products: Index


class Calendar:
    """The traffic, demand and prices of a world over time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._zone = ZoneInfo(world.shape.timezone)
        self._sales: dict[tuple[int, int], FlashSale] = {}

    def sales(self, start_ms: int, end_ms: int) -> list[FlashSale]:
        """Return the flash sales that overlap [start, end)."""
        day = from_millis(start_ms).astimezone(self._zone).date() - timedelta(days=1)
        last = from_millis(end_ms).astimezone(self._zone).date()
        found = []
        while day <= last:
            if day.weekday() == SALE_WEEKDAY:
                begin = datetime(day.year, day.month, day.day, SALE_HOUR, tzinfo=self._zone)
                sale = self._sale(day.isocalendar()[:2], to_millis(begin))
                if sale.start_ms < end_ms and sale.end_ms > start_ms:
                    found.append(sale)
            day += timedelta(days=1)
        return found

    def season(self, at_ms: int) -> Floats:
        """Return the seasonal demand of each category, around 1."""
        day_of_year = from_millis(at_ms).astimezone(self._zone).timetuple().tm_yday
        swing, peak = np.array([SEASONS[name] for name in DEPARTMENTS]).T
        demand = 1 + swing * np.cos(2 * np.pi * (day_of_year / 365.25 - (peak - 0.5) / 12))
        by_category: Floats = demand[np.array(DEPARTMENT_OF)]
        return by_category

    def traffic(self, start_ms: int, end_ms: int) -> tuple[Millis, Floats]:
        """Return the starts of the bins of [start, end) and the traffic of each, 1 on average over a week."""
        bins = np.arange(start_ms, end_ms, TRAFFIC_BIN_MS, dtype=np.int64)
        local = [from_millis(at).astimezone(self._zone) for at in bins.tolist()]
        hour = np.array([at.hour + at.minute / 60 for at in local])
        of_hour = np.interp(hour, np.arange(25), np.append(HOURS, HOURS[0])) / HOURS.mean()
        weekday = WEEKDAYS[[at.weekday() for at in local]]
        factor = of_hour * weekday
        for sale in self.sales(start_ms, end_ms):
            factor[(bins >= sale.start_ms) & (bins < sale.end_ms)] *= SALE_TRAFFIC
        return bins, factor

    def arrivals(self, rng: np.random.Generator, start_ms: int, end_ms: int, per_day: float) -> Millis:
        """Draw the starts of visits: an inhomogeneous Poisson process with `per_day` on average."""
        bins, factor = self.traffic(start_ms, end_ms)
        widths = np.minimum(bins + TRAFFIC_BIN_MS, end_ms) - bins
        counts = rng.poisson(factor * per_day * widths / DAY_MS)
        begin, width = np.repeat(bins, counts), np.repeat(widths, counts)
        return np.sort(begin + (rng.random(len(begin)) * width).astype(np.int64))

    def demand(self, started: Millis) -> Floats:
        """Return the demand of each category at the start of each visit, (n, categories)."""
        if not len(started):
            return np.ones((0, len(DEPARTMENT_OF)))
        days, which = np.unique(started // DAY_MS, return_inverse=True)
        demand = np.stack([self.season(day * DAY_MS) for day in days.tolist()])[which]
        for sale in self.sales(int(started.min()), int(started.max()) + 1):
            inside = np.flatnonzero((started >= sale.start_ms) & (started < sale.end_ms))
            demand[np.ix_(inside, np.array(DEPARTMENT_OF) == sale.department)] *= SALE_DEMAND
        return demand

    def prices(self, product: Index, at: Millis) -> Index:
        """Return the price of each product at each time, in minor units."""
        prices = self._world.products.price_minor[product]
        if not len(at):
            return prices
        for sale in self.sales(int(at.min()), int(at.max()) + 1):
            on = (at >= sale.start_ms) & (at < sale.end_ms) & np.isin(product, sale.products)
            prices = np.where(on, sale_price(prices, sale), prices)
        return prices

    def _sale(self, week: tuple[int, int], start_ms: int) -> FlashSale:
        if week not in self._sales:
            rng = named_rng(self._world.shape.seed, "sale", *week)
            department = int(rng.integers(len(DEPARTMENTS)))
            candidates = np.flatnonzero(np.array(DEPARTMENT_OF)[self._world.products.category] == department)
            chosen = candidates[rng.random(len(candidates)) < 0.5]
            discount = float(rng.choice([0.2, 0.25, 0.3, 0.4]))
            self._sales[week] = FlashSale(
                start_ms, start_ms + SALE_HOURS * HOUR_MS, department, discount, chosen
            )
        return self._sales[week]


def sale_price(price_minor: Index, sale: FlashSale) -> Index:
    """Return the reduced price during the sale, at least one minor unit."""
    reduced: Index = np.maximum(np.rint(price_minor * (1 - sale.discount)), 1).astype(np.int64)
    return reduced
