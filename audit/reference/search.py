"""Search: what visitors searched for, and what followed from their clicks in the results."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from audit.reference.arithmetic import DAY_MS, Value, half_up, ratio
from audit.reference.shop import Event, Shop, once
from audit.reference.totals import ALL_SELLERS, Sheet

EVENTS = {
    "search_performed": ("search_id", "session_id", "page_number", "result_count", "product_ids"),
    "product_viewed": ("session_id", "seller_id", "product_id", "search_id"),
    "cart_changed": ("session_id", "seller_id", "product_id", "quantity_before", "quantity", "reason"),
    "order_placed": ("session_id", "order_id", "lines"),
    "order_confirmed": ("order_id", "placed_at"),
}

MILLION = 1_000_000
"""1 ÷ position is rounded to millionths."""

Offer = tuple[str, str, str]
"""Session, seller and product."""


@dataclass(slots=True)
class FirstPage:
    """The first page of a search: the products on it, the best first, and those that were clicked."""

    products: Sequence[str]
    clicked: set[str]

    @property
    def positions_clicked(self) -> Sequence[int]:
        """The positions of the products that were clicked, from 1."""
        return [
            position for position, product in enumerate(self.products, start=1) if product in self.clicked
        ]


@dataclass(slots=True)
class Search:
    """The searches of a time, which belong to no seller, and the clicks on offers in their results."""

    searches: set[str] = field(default_factory=set)
    empty_searches: set[str] = field(default_factory=set)
    products_shown: int = 0
    clicks: int = 0
    clicks_carted: int = 0
    clicks_bought: int = 0
    first_pages: list["FirstPage"] = field(default_factory=list)


def collect(shop: Shop, sheet: Sheet[Search]) -> None:
    """Count searches, and clicks with what happened to the same offer in the same session within a day."""
    clicked = _clicks(shop)
    for page in once(shop.events("search_performed"), "event_id"):
        search = sheet.at(ALL_SELLERS, page["occurred_at"])
        search.searches.add(page["search_id"])
        search.products_shown += len(page["product_ids"])
        if page["result_count"] == 0:
            search.empty_searches.add(page["search_id"])
        if page["page_number"] == 1:
            search.first_pages.append(FirstPage(list(dict.fromkeys(page["product_ids"])), clicked(page)))
    carted, bought = _additions(shop), _purchases(shop)
    for view in once(shop.events("product_viewed"), "event_id"):
        if view["search_id"] is not None and view["seller_id"] is not None:
            offer = view["session_id"], view["seller_id"], view["product_id"]
            search = sheet.at(view["seller_id"], view["occurred_at"])
            search.clicks += 1
            search.clicks_carted += _within_a_day(view["occurred_at"], carted[offer])
            search.clicks_bought += _within_a_day(view["occurred_at"], bought[offer])


def _clicks(shop: Shop) -> Callable[[Event], set[str]]:
    """Return a function: the products of its search that the session of a page clicked within a day."""
    views: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for view in shop.events("product_viewed"):
        if view["search_id"] is not None and view["seller_id"] is not None:
            views[view["search_id"], view["session_id"]].append(view)
    return lambda page: {
        view["product_id"]
        for view in views[page["search_id"], page["session_id"]]
        if 0 <= view["occurred_at"] - page["occurred_at"] < DAY_MS
    }


def _additions(shop: Shop) -> Mapping[Offer, Sequence[int]]:
    """Return when a shopper added units of an offer to a cart, in the order of time."""
    times: dict[Offer, list[int]] = defaultdict(list)
    for cart in sorted(shop.events("cart_changed"), key=lambda each: int(each["occurred_at"])):
        if cart["quantity"] > cart["quantity_before"] and cart["reason"] is None:
            times[cart["session_id"], cart["seller_id"], cart["product_id"]].append(cart["occurred_at"])
    return times


def _purchases(shop: Shop) -> Mapping[Offer, Sequence[int]]:
    """Return when an offer was ordered in an order that was confirmed, in the order of time."""
    confirmed = {each["order_id"] for each in shop.events("order_confirmed") if each["placed_at"] is not None}
    times: dict[Offer, list[int]] = defaultdict(list)
    for order in sorted(shop.events("order_placed"), key=lambda each: int(each["occurred_at"])):
        if order["session_id"] is not None and order["order_id"] in confirmed:
            for line in order["lines"]:
                times[order["session_id"], line["seller_id"], line["product_id"]].append(order["occurred_at"])
    return times


def _within_a_day(clicked_ms: int, times: Sequence[int]) -> bool:
    """Return whether one of the times, which are in order, is less than 24 hours after a click."""
    following = bisect_left(times, clicked_ms)
    return following < len(times) and times[following] < clicked_ms + DAY_MS


def _clicked_search_share(search: Search) -> Value:
    return ratio(sum(bool(page.clicked) for page in search.first_pages), len(search.first_pages))


def _position_click_rate(search: Search) -> Value:
    pages = search.first_pages
    return ratio(
        sum(len(page.positions_clicked) for page in pages), sum(len(page.products) for page in pages)
    )


def _reciprocal_rank(search: Search) -> Value:
    first = [clicked[0] for page in search.first_pages if (clicked := page.positions_clicked)]
    return ratio(sum(half_up(MILLION, position) for position in first), MILLION * len(first))


FORMULAS: Mapping[str, Callable[[Search], Value]] = {
    "searches": lambda search: len(search.searches),
    "search_impressions": lambda search: search.products_shown,
    "empty_search_share": lambda search: ratio(len(search.empty_searches), len(search.searches)),
    "search_click_rate": lambda search: ratio(search.clicks, search.products_shown),
    "clicked_search_share": _clicked_search_share,
    "position_click_rate": _position_click_rate,
    "reciprocal_rank": _reciprocal_rank,
    "search_clicks": lambda search: search.clicks,
    "search_carts": lambda search: search.clicks_carted,
    "search_purchases": lambda search: search.clicks_bought,
    "search_conversion_rate": lambda search: ratio(search.clicks_bought, search.clicks),
}
