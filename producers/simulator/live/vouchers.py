"""Vouchers of the marketplace and of some sellers, created through the API, and which shoppers use them."""

from collections.abc import Collection
from random import Random

from common.request_path import in_path
from producers.simulator.live.api import ApiUnavailable, RequestRejected, ShopApi
from producers.simulator.world.world import World

SELLERS = 5
"""The number of sellers that have a voucher: the first of the world."""

OF_MARKETPLACE, OF_SELLER = "WELCOME-10", "SELLER-{}-5"
_USERS_SHARE = 0.15
"""The share of the orders in which the shopper enters a code."""


class LiveVouchers:
    """The codes that exist in the shop."""

    def __init__(self, world: World, api: ShopApi, random: Random) -> None:
        self._world, self._api, self._random = world, api, random
        self._codes: dict[int | None, str] = {}
        """Seller → the code of the voucher; None: the marketplace."""

    async def create(self) -> None:
        """Create the vouchers that do not exist. Without an answer, no shopper enters their codes."""
        await self._create(None, "/v1/vouchers", OF_MARKETPLACE, "Welcome", 1_000)
        for seller in range(min(SELLERS, len(self._world.sellers.ids))):
            path = f"/v1/sellers/{in_path(self._world.sellers.ids[seller])}/vouchers"
            await self._create(seller, path, OF_SELLER.format(seller + 1), "Thank you", 500)

    def entered(self, sellers: Collection[int]) -> list[str]:
        """Return the codes that the shopper of an order of lines of these sellers enters."""
        known = [self._codes[each] for each in (None, *sorted(sellers)) if each in self._codes]
        return [self._random.choice(known)] if known and self._random.random() < _USERS_SHARE else []

    async def _create(self, seller: int | None, path: str, code: str, name: str, percent_bp: int) -> None:
        voucher = {"name": name, "code": code, "kind": "percentage", "percent_bp": percent_bp}
        try:
            found = await self._api.request("vouchers", "GET", path)
            if not any(each["code"] == code for each in found["vouchers"]):
                await self._api.request("vouchers", "POST", path, voucher)
        except (ApiUnavailable, RequestRejected):
            return
        self._codes[seller] = code
