"""Places the orders of live shoppers through the API, follows each until it is decided, and reviews some."""

import asyncio
import uuid
from collections.abc import Callable, Collection
from datetime import datetime
from random import Random
from typing import Any

from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.steps import SubmitCart
from producers.simulator.payments import draw_payment_method
from producers.simulator.status import SimulatorStatus
from producers.simulator.world.world import World

TOKENS = ("tok_visa", "tok_decline_card", "tok_slow_bank", "tok_flaky_network")
_TOKEN_SHARES = (95.5, 3, 0.5, 1)

POLL_DELAYS_S = (0.3, 0.5, 1, 2, 4, 8, 15, 30, 60)
"""Seconds before each request for an order that is neither confirmed nor cancelled yet."""

MAX_ATTEMPTS = 6
_BACKOFF_S = 0.5


class LiveOrders:
    """Places orders and waits for their outcome.

    `on_placed` is called with the time of each order that the API accepted. `on_failed` is called with the
    units of each order that was refused or cancelled. `codes` gives the voucher codes that the shopper enters
    for an order of some sellers.
    """

    def __init__(
        self,
        world: World,
        api: ShopApi,
        status: SimulatorStatus,
        random: Random,
        on_placed: Callable[[datetime], None],
        on_failed: Callable[[dict[int, int]], None],
        codes: Callable[[Collection[int]], list[str]] = lambda _: [],
    ) -> None:
        self._codes = codes
        self._world, self._api, self._status, self._random = world, api, status, random
        self._on_placed, self._on_failed = on_placed, on_failed

    async def place_and_follow(self, checkout: SubmitCart) -> None:
        """Place one order and wait until it is confirmed or cancelled."""
        order = await self._place(checkout)
        if order is None:
            self._on_failed(checkout.units)
            return
        self._on_placed(datetime.fromisoformat(order["placed_at"]))
        self._status.orders["placed"] += 1
        self._status.record_sent("order_placed", "orders")
        outcome = await self._follow(order["order_id"])
        if outcome is None:
            self._status.orders["undecided"] += 1
        elif outcome["status"] == "cancelled":
            self._status.orders["cancelled"] += 1
            self._status.cancelled_because[outcome["cancellation_reason"] or "unknown"] += 1
            self._on_failed(checkout.units)
        else:
            self._status.orders["confirmed"] += 1

    async def fetch(self, order_id: str) -> dict[str, Any] | None:
        """Return the API's JSON of an order; None if there is none or the API stays unavailable."""
        return await self._request("order", "GET", f"/v1/orders/{order_id}")

    async def cancel(self, order_id: str) -> None:
        """Cancel an order on behalf of its shopper."""
        try:
            await self._api.request("cancellation", "POST", f"/v1/orders/{order_id}/cancellation", {})
        except (ApiUnavailable, RequestRejected):
            return
        self._status.orders["cancelled"] += 1
        self._status.cancelled_because["shopper_request"] += 1

    async def review(self, body: dict[str, Any]) -> None:
        """Review a line of a delivered order on behalf of its shopper.

        The attempts have no idempotency key: with one, each would get the first refusal again, such as that
        the delivery is not known yet. A line has one review, however often it is sent.
        """
        if await self._request("reviews", "POST", "/v1/reviews", body):
            self._status.orders["reviewed"] += 1
            self._status.record_sent("review_submitted", "reviews")

    async def _place(self, checkout: SubmitCart) -> dict[str, Any] | None:
        """Return the placed order, None if it was refused. All attempts share one idempotency key."""
        method, installments = draw_payment_method(self._random)
        body = {
            "shopper_id": self._world.shoppers.ids[checkout.shopper],
            "session_id": checkout.session_id,
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
                for product, units in checkout.units.items()
            ],
            "voucher_codes": self._codes({int(self._world.products.seller[each]) for each in checkout.units}),
        }
        key = {"idempotency-key": str(uuid.UUID(int=self._random.getrandbits(128), version=4))}
        return await self._request("orders", "POST", "/v1/orders", body, key)

    async def _request(
        self, endpoint: str, method: str, path: str, *given: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Return the API's JSON; None if it refuses the request or stays unavailable."""
        for attempt in range(MAX_ATTEMPTS):
            try:
                found: dict[str, Any] = await self._api.request(endpoint, method, path, *given)
                return found
            except RequestRejected:
                return None
            except ApiUnavailable:
                await asyncio.sleep(_BACKOFF_S * 2**attempt)
        return None

    async def _follow(self, order_id: str) -> dict[str, Any] | None:
        for pause_s in POLL_DELAYS_S:
            await asyncio.sleep(pause_s)
            try:
                order: dict[str, Any] = await self._api.request("order", "GET", f"/v1/orders/{order_id}")
            except (ApiUnavailable, RequestRejected):
                continue
            if order["status"] != "placed":
                return order
        return None
