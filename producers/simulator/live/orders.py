"""Orders of live shoppers: placed through the API, followed until they are decided."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

from producers.simulator.fate import Line
from producers.simulator.live.api import Api, Away, Refused
from producers.simulator.live.steps import Buy
from producers.simulator.payments import draw_payment
from producers.simulator.status import Status
from producers.simulator.world.world import World

TOKENS = ("tok_visa", "tok_decline_card", "tok_slow_bank", "tok_flaky_network")
_TOKEN_SHARES = (95.5, 3, 0.5, 1)

LOOKS_AFTER_S = (0.3, 0.5, 1, 2, 4, 8, 15, 30, 60)
"""Pauses between two looks at an order that is not decided yet."""

TRIES = 6
_PAUSE_S = 0.5

Confirmed = Callable[[str, str, list[Line]], None]
"""Takes an order that was confirmed: its id, its shopper's, its lines."""


class Orders:
    """Places orders and waits for what becomes of them.

    `placed` is called with the time of each that was taken, `confirmed` for each that sellers may ship,
    `came_to_nothing` with the units of each other.
    """

    def __init__(
        self,
        world: World,
        api: Api,
        status: Status,
        random: Random,
        placed: Callable[[datetime], None],
        confirmed: Confirmed,
        came_to_nothing: Callable[[dict[int, int]], None],
    ) -> None:
        self._world, self._api, self._status, self._random = world, api, status, random
        self._placed, self._confirmed, self._came_to_nothing = placed, confirmed, came_to_nothing
        self._index_of = {product: row for row, product in enumerate(world.products.ids)}
        self._seller_of = {seller: row for row, seller in enumerate(world.sellers.ids)}

    async def buy(self, buy: Buy) -> None:
        """Place one order and follow it to its end."""
        order = await self._place(buy)
        if order is None:
            self._came_to_nothing(buy.units)
            return
        self._placed(datetime.fromisoformat(order["placed_at"]))
        self._status.orders["placed"] += 1
        self._status.sent("order_placed", "orders")
        decided = await self._follow(order["order_id"])
        if decided is None:
            self._status.orders["undecided"] += 1
        elif decided["status"] == "cancelled":
            self._status.orders["cancelled"] += 1
            self._status.cancelled_because[decided["cancellation_reason"] or "unknown"] += 1
            self._came_to_nothing(buy.units)
        else:
            self._status.orders["confirmed"] += 1
            self._confirmed(order["order_id"], order["shopper_id"], self._lines(decided))

    async def cancel(self, order_id: str) -> None:
        """The shopper changes their mind."""
        try:
            await self._api.ask("cancellation", "POST", f"/v1/orders/{order_id}/cancellation", {})
        except (Away, Refused):
            return
        self._status.orders["cancelled"] += 1
        self._status.cancelled_because["shopper_request"] += 1

    async def _place(self, buy: Buy) -> dict[str, Any] | None:
        """The same key in every try: the order is placed once, however often it is sent."""
        method, installments = draw_payment(self._random)
        body = {
            "shopper_id": self._world.shoppers.ids[buy.shopper],
            "session_id": buy.session_id,
            "currency": self._world.shape.currency,
            "payment": {
                "method": method,
                "token": self._random.choices(TOKENS, _TOKEN_SHARES)[0],
                "installments": installments,
            },
            "lines": [
                {
                    "product_id": self._world.products.ids[product],
                    "seller_id": self._world.sellers.ids[int(self._world.products.seller[product])],
                    "quantity": units,
                }
                for product, units in buy.units.items()
            ],
        }
        key = {"idempotency-key": str(uuid.UUID(int=self._random.getrandbits(128), version=4))}
        for number in range(TRIES):
            try:
                placed: dict[str, Any] = await self._api.ask("orders", "POST", "/v1/orders", body, key)
                return placed
            except Refused:
                return None
            except Away:
                await asyncio.sleep(_PAUSE_S * 2**number)
        return None

    async def _follow(self, order_id: str) -> dict[str, Any] | None:
        for pause_s in LOOKS_AFTER_S:
            await asyncio.sleep(pause_s)
            try:
                order: dict[str, Any] = await self._api.ask("order", "GET", f"/v1/orders/{order_id}")
            except (Away, Refused):
                continue
            if order["status"] != "placed":
                return order
        return None

    def _lines(self, order: dict[str, Any]) -> list[Line]:
        return [
            Line(
                line["line_number"], self._index_of[line["product_id"]], self._seller_of[line["seller_id"]],
                line["quantity"], line["unit_price_minor"], line["discount_minor"], line["shipping_minor"],
            )
            for line in order["lines"]
        ]  # fmt: skip
