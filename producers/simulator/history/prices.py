"""Prices of single products over time, and the events by which flash sales change listings."""

import numpy as np

from producers.feed.events import Events
from producers.simulator.calendar import FlashSale, sale_price
from producers.simulator.history.event_rows import events_from_columns
from producers.simulator.history.registrations import listing_columns
from producers.simulator.world.world import World


class PriceList:
    """List prices, and the reduced prices during flash sales."""

    def __init__(self, world: World, sales: list[FlashSale]) -> None:
        self._world, self._sales = world, sales
        self._list: list[int] = world.products.price_minor.tolist()
        self._reduced: list[dict[int, int]] = [
            dict(
                zip(
                    sale.products.tolist(),
                    sale_price(world.products.price_minor[sale.products], sale).tolist(),
                    strict=True,
                )
            )
            for sale in sales
        ]

    def at(self, product: int, at_ms: int) -> int:
        """Return the price of a unit at a time, in minor units."""
        for sale, reduced in zip(self._sales, self._reduced, strict=True):
            if sale.start_ms <= at_ms < sale.end_ms and product in reduced:
                return reduced[product]
        return self._list[product]

    def changed_products(self, after_ms: int, until_ms: int) -> list[int]:
        """Return the products whose sale begins or ends in (after_ms, until_ms]."""
        moved = [
            reduced
            for sale, reduced in zip(self._sales, self._reduced, strict=True)
            if any(after_ms < moment <= until_ms for moment in (sale.start_ms, sale.end_ms))
        ]
        return [product for reduced in moved for product in reduced]

    def changes(self) -> list[Events]:
        """Return a product_changed of every product of a sale, at its start and at its end."""
        found = []
        for sale, reduced in zip(self._sales, self._reduced, strict=True):
            columns = listing_columns(self._world, sale.products)
            usual = {
                "product_id": [self._world.products.ids[row] for row in sale.products.tolist()]
            } | columns
            cheaper = usual | {"price_minor": list(reduced.values())}
            for moment, fields in ((sale.start_ms, cheaper), (sale.end_ms, usual)):
                at = np.full(len(sale.products), moment, np.int64)
                changed = {"changed_fields": [["price_minor"]] * len(at)}
                found.append(events_from_columns("product_changed", at, fields | changed))
        return found
