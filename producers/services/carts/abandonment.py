"""Finds carts that nobody has touched for hours, and emits `cart_abandoned` (a worker)."""

from common.settings import Settings
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll
from producers.services.carts import store
from producers.services.carts.model import ABANDONED_AFTER, CART_DAYS, abandonment

_EVERY_S = 10.0
_BATCH = 100
"""Carts of one transaction, each with up to 300 lines."""


async def report_abandoned(transactions: Transactions, settings: Settings) -> None:
    """Report abandoned carts every few seconds, until cancelled."""

    async def work() -> int:
        return await report_abandoned_once(transactions, settings.shop_currency)

    await poll("carts abandonment", _EVERY_S, work, settings.stop_timeout_s, drains=True)


async def report_abandoned_once(transactions: Transactions, currency: str) -> int:
    """Report some carts that nobody has touched for `ABANDONED_AFTER`; return how many were looked at.

    A cart is looked at once after each change. It is not reported if it is empty, or older than `CART_DAYS`.
    """
    async with transactions.begin(Trace.start("abandonment", None)) as tx:
        carts = await store.mark_idle(tx, ABANDONED_AFTER, _BATCH)
        for cart in carts:
            if cart.touched_at < tx.now - CART_DAYS:
                continue
            lines = await store.find_lines(tx, cart.cart_id)
            if (found := abandonment(cart, lines.values(), currency)) is not None:
                tx.emit("cart_abandoned", **found)
    return len(carts)
