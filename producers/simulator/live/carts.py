"""Changes the carts of live shoppers through the API."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from common.request_path import in_path
from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.live.steps import ChangeCart
from producers.simulator.status import SimulatorStatus

MAX_PRODUCTS = 30
"""Products in a cart. Shoppers return again and again and buy only what a visit is about, so they remove the
oldest."""


class LiveCarts:
    """Puts products into carts and takes them out."""

    def __init__(self, api: ShopApi, status: SimulatorStatus) -> None:
        self._api, self._status = api, status

    async def change(self, change: ChangeCart) -> None:
        """Change a cart for a visit. If the API refuses or is unavailable, the cart stays as it is."""
        whose = {"shopper_id": change.visitor, "session_id": change.session_id}
        with suppress(ApiUnavailable, RequestRejected):
            if (units := change.quantity - change.quantity_before) > 0:
                line = {"product_id": change.product_id, "seller_id": change.seller_id, "quantity": units}
                body = {**line, **whose, "recommendation_id": change.recommendation_id}
                await self._tidy(await self._send("POST", "", body), whose)
            elif change.quantity:
                await self._send("PUT", in_path(change.product_id), {"quantity": change.quantity, **whose})
            else:
                await self._remove(change.product_id, whose)

    async def _tidy(self, cart: dict[str, Any], whose: dict[str, str]) -> None:
        """Remove the oldest product of a cart that has too many."""
        lines = [line for parcel in cart["parcels"] for line in parcel["lines"]]
        if len(lines) > MAX_PRODUCTS:
            await self._remove(min(lines, key=lambda line: str(line["added_at"]))["product_id"], whose)

    async def _remove(self, product_id: str, whose: dict[str, str]) -> None:
        await self._send("DELETE", f"{in_path(product_id)}?{urlencode(whose)}")

    async def _send(self, method: str, line: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a change of a line and return the cart."""
        target = f"/v1/cart/lines/{line}" if line else "/v1/cart/lines"
        cart: dict[str, Any] = await self._api.request("cart", method, target, body)
        self._status.record_sent("cart_changed", "carts")
        return cart
