"""What happened in the shop, as single events. An event can be there twice."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

Event = Mapping[str, Any]
"""The fields of an event by name. Times are Unix milliseconds."""

ORDER = ("order_id", "placed_at", "currency", "lines")
CANCELLATION = (*ORDER, "confirmed_at")
REFUND = ("return_id", "seller_id", "order_id", "placed_at", "currency", "lines")
"""The fields of `order_confirmed`, `order_cancelled` and `payment_refunded` that most figures need."""


def once(events: Iterable[Event], *key: str) -> list[Event]:
    """Return events in the order of time, of those with equal fields `key` only the first one."""
    first: dict[tuple[Any, ...], Event] = {}
    for event in sorted(events, key=lambda each: (each["occurred_at"], each["event_id"])):
        first.setdefault(tuple(event[name] for name in key), event)
    return list(first.values())


@dataclass(frozen=True)
class Shop:
    """`events` returns the events of a kind, such as `order_placed`; `currency` is that of the shop.

    `kept` has the lists that several domains need. Shops of the same events may share it.
    """

    events: Callable[[str], Iterable[Event]]
    currency: str
    zone: ZoneInfo
    now_ms: int
    kept: dict[str, list[Event]] = field(default_factory=dict)

    def day(self, moment_ms: int) -> date:
        """Return the shop's day that contains a moment."""
        return datetime.fromtimestamp(moment_ms / 1000, self.zone).date()

    def is_in_currency(self, event: Event) -> bool:
        """Return whether the amounts of an event are in the shop's currency; no other ones are added up."""
        return bool(event["currency"] == self.currency)

    def confirmed_orders(self) -> list[Event]:
        """Return the confirmation of each order, in any currency. Old ones without an order are left out."""
        found = self._with("order_confirmed", "placed_at")
        return self._kept("confirmed", lambda: once(found, "order_id"))

    def sales(self) -> list[Event]:
        """Return the confirmation of each order in the shop's currency."""
        return self._kept("sales", lambda: list(filter(self.is_in_currency, self.confirmed_orders())))

    def cancelled_sales(self) -> list[Event]:
        """Return the cancellation of each confirmed order that was cancelled, in the shop's currency."""
        found = filter(self.is_in_currency, self._with("order_cancelled", "confirmed_at"))
        return self._kept("cancelled", lambda: once(found, "order_id"))

    def refunds(self) -> list[Event]:
        """Return the refund of each return of a seller's lines that was refunded, in the shop's currency."""
        found = filter(self.is_in_currency, self._with("payment_refunded", "return_id", "seller_id"))
        return self._kept("refunds", lambda: once(found, "return_id"))

    def _with(self, kind: str, *names: str) -> Iterator[Event]:
        """Yield the events of a kind that have these fields."""
        for event in self.events(kind):
            if all(event[name] is not None for name in names):
                yield event

    def _kept(self, name: str, make: Callable[[], list[Event]]) -> list[Event]:
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]


def lines_of(orders: Iterable[Event]) -> Iterator[tuple[Event, Event]]:
    """Yield each line of these orders, returns or refunds, after its order."""
    for order in orders:
        for line in order["lines"]:
            yield order, line


def after_discount(line: Event) -> int:
    """Return the price of an order's line: quantity × unit price − discount."""
    return int(line["quantity"] * line["unit_price_minor"] - line["discount_minor"])


def given_back(line: Event) -> int:
    """Return what a seller gives back for a line: to the shopper, and to the marketplace its part."""
    return int(line["refund_minor"] + (line["marketplace_minor"] or 0))
