"""Recommendations: how often offers were shown and clicked, and what clicks led to, beside the catalogue."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from audit.reference.arithmetic import DAY_MS, QUARTER_HOUR_MS, Value, ratio
from audit.reference.shop import ORDER, Event, Shop, after_discount, lines_of, once
from audit.reference.totals import Sheet

EVENTS = {
    "recommendation_shown": ("recommendation_id", "items"),
    "recommendation_clicked": ("recommendation_id", "product_id", "shopper_id"),
    "order_confirmed": (*ORDER, "shopper_id"),
    "product_listed": ("seller_id", "product_id"),
    "product_changed": ("seller_id", "product_id"),
    "product_delisted": ("seller_id", "product_id"),
}

Moves = list[tuple[int, int]]
"""When an offer was listed (1) or delisted (-1), in the order of time."""


@dataclass(slots=True)
class Recommendations:
    """The recommended items of a time, and the order lines of the time that a click led to.

    `all_impressions` are those of all sellers, `listed` and `all_listed` the offers at the end of the time.
    """

    impressions: int = 0
    all_impressions: int = 0
    listed: int = 0
    all_listed: int = 0
    clicks: int = 0
    attributed_orders: set[str] = field(default_factory=set)
    attributed_sales: int = 0


def collect(shop: Shop, sheet: Sheet[Recommendations]) -> None:
    """Count items when they were shown, and order lines when they were placed."""
    clicked: set[tuple[str, str]] = set()
    clicks_ms: dict[tuple[str, str], list[int]] = defaultdict(list)
    for click in shop.events("recommendation_clicked"):
        clicked.add((click["recommendation_id"], click["product_id"]))
        if click["shopper_id"]:
            clicks_ms[click["shopper_id"], click["product_id"]].append(click["occurred_at"])
    for shown, item in _shown_items(shop):
        recommendations = sheet.at(item["seller_id"], shown["occurred_at"])
        recommendations.impressions += 1
        recommendations.clicks += (shown["recommendation_id"], item["product_id"]) in clicked
    for order, line in lines_of(shop.sales()):
        before = clicks_ms.get((order["shopper_id"], line["product_id"]), ())
        if any(0 <= order["placed_at"] - clicked_ms < DAY_MS for clicked_ms in before):
            recommendations = sheet.at(line["seller_id"], order["placed_at"])
            recommendations.attributed_orders.add(order["order_id"])
            recommendations.attributed_sales += after_discount(line)
    _compare_with_catalogue(shop, sheet)


def _compare_with_catalogue(shop: Shop, sheet: Sheet[Recommendations]) -> None:
    """Add to each seller the impressions of all sellers, and the listed offers at the end of each time."""
    moves = listings(shop)
    sellers = set(moves)
    shown_at: Counter[int] = Counter()
    for shown, item in _shown_items(shop):
        shown_at[shown["occurred_at"] // QUARTER_HOUR_MS * QUARTER_HOUR_MS] += 1
        if sheet.contains(item["seller_id"], shown["occurred_at"]):
            sellers.add(item["seller_id"])
    for seller_id in sellers:
        for quarter_hour_ms, impressions in shown_at.items():
            sheet.at(seller_id, quarter_hour_ms).all_impressions += impressions
    of_all = sorted(move for own in moves.values() for move in own)
    if not of_all:
        return
    listed_of_all = CountOverTime(of_all)
    for seller_id in sellers:
        listed = CountOverTime(moves.get(seller_id, []))
        for end_ms in sheet.ends(seller_id, of_all[0][0]):
            recommendations = sheet.at(seller_id, end_ms - 1)
            recommendations.listed += listed.before(end_ms)
            recommendations.all_listed += listed_of_all.before(end_ms)


def _shown_items(shop: Shop) -> Iterator[tuple[Event, Event]]:
    """Yield each item of a seller that was shown, after the event that says so."""
    for shown in once(shop.events("recommendation_shown"), "event_id"):
        for item in shown["items"]:
            if item["seller_id"] is not None:
                yield shown, item


class CountOverTime:
    """A number that each move changes."""

    def __init__(self, moves: Moves) -> None:
        self._moments = [moment for moment, _ in moves]
        self._counts = [0, *accumulate(step for _, step in moves)]

    def before(self, end_ms: int) -> int:
        """Return the number after all moves before a moment."""
        return self._counts[bisect_left(self._moments, end_ms)]


def listings(shop: Shop) -> Mapping[str, Moves]:
    """Return when offers of each seller were listed and delisted. A change of an offer lists it, too."""
    steps: dict[tuple[str, str], set[tuple[int, str, bool]]] = defaultdict(set)
    for kind in ("product_listed", "product_changed", "product_delisted"):
        for event in shop.events(kind):
            step = event["occurred_at"], event["event_id"], kind != "product_delisted"
            steps[event["seller_id"], event["product_id"]].add(step)
    moves: dict[str, Moves] = defaultdict(list)
    for (seller_id, _), own in steps.items():
        was_listed = False
        for at_ms, _, is_listed in sorted(own):
            if is_listed != was_listed:
                moves[seller_id].append((at_ms, 1 if is_listed else -1))
            was_listed = is_listed
    return {seller_id: sorted(own) for seller_id, own in moves.items()}


FORMULAS: Mapping[str, Callable[[Recommendations], Value]] = {
    "recommendation_impressions": lambda found: found.impressions,
    "recommendation_clicks": lambda found: found.clicks,
    "exposure_share": lambda found: ratio(found.impressions, found.all_impressions),
    "catalogue_share": lambda found: ratio(found.listed, found.all_listed),
    "exposure_ratio": lambda found: ratio(
        found.impressions * found.all_listed, found.all_impressions * found.listed
    ),
    "click_through_rate": lambda found: ratio(found.clicks, found.impressions),
    "attributed_orders": lambda found: len(found.attributed_orders),
    "attributed_sales": lambda found: found.attributed_sales,
}
