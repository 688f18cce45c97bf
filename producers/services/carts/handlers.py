"""Handles the events of orders, sellers and stock, and erasures.

The topics of an order are read apart, so its events may arrive in any order. What it takes out of a cart is
kept until the order is decided, and that it came to nothing for `CART_DAYS`.
"""

from collections.abc import Mapping

from producers.kit.inbox.subscription import Subscription
from producers.kit.offers import KEEP_OFFERS
from producers.kit.outbox.transaction import Transaction
from producers.services.carts import store
from producers.services.carts.model import ORDER_MEMORY, StoredCart, put_back, without_ordered
from schemas.codec import Record


async def take_out(tx: Transaction, event: Record) -> None:
    """`order_placed`: take the ordered units out of the shopper's cart, and keep what they were.

    Whoever signs in to order may have filled the cart as a guest, and it is not merged before they open it:
    so the order also takes its units out of the cart of its visit.
    """
    order_id, shoppers = event["order_id"], [event["shopper_id"], event["session_id"] or event["shopper_id"]]
    if event["occurred_at"] < tx.now - ORDER_MEMORY or not await store.has_carts(tx, shoppers):
        return
    await store.lock_order(tx, order_id)
    if await store.is_cancelled(tx, order_id):
        return
    for cart in _each(await store.lock_carts_of(tx, shoppers)):
        before = await store.find_lines(tx, cart.cart_id)
        after, taken = without_ordered(cart.shopper_id, before, event["lines"], event["occurred_at"], tx.now)
        if taken:
            await store.save_taken(tx, order_id, taken)
            await store.save(tx, cart, before, after, "ordered")


async def forget_order(tx: Transaction, event: Record) -> None:
    """`order_confirmed`: forget what the order took out of a cart, and its codes if it used a voucher."""
    if any(line["line_voucher_id"] or line["order_voucher_id"] for line in event["lines"]):
        for cart in _each(await store.lock_carts_of(tx, [event["shopper_id"]])):
            await store.save_codes(tx, cart, [])
    await store.forget_taken(tx, event["order_id"])


async def put_order_back(tx: Transaction, event: Record) -> None:
    """`order_cancelled`: put back what it took out, unless it was paid or the shopper has cancelled it.

    So a declined card leaves the cart full. What was taken out of a cart comes back into it, or into that of
    whoever ordered if it is gone. If the order was not read yet, it takes nothing out then.
    """
    order_id, shopper_id = event["order_id"], event["shopper_id"]
    if event["occurred_at"] < tx.now - ORDER_MEMORY:
        return
    await store.lock_order(tx, order_id)
    if event["reason"] == "shopper_request" or event["confirmed_at"] is not None:
        await store.forget_taken(tx, order_id)
        return
    await store.save_cancellation(tx, event)
    if not (takers := await store.find_takers(tx, order_id)):
        return
    # Before rows of `taken_lines` are locked, as an erasure does.
    carts = await store.lock_carts_of(tx, [shopper_id, *takers])
    taken = await store.forget_taken(tx, order_id)
    for cart in _each(carts):
        own = [each for each in taken if carts.get(each.shopper_id, carts.get(shopper_id)) == cart]
        before = await store.find_lines(tx, cart.cart_id)
        await store.save(tx, cart, before, put_back(before, own, tx.now), "put_back")


async def erase_shopper(tx: Transaction, event: Record) -> None:
    """`shopper_erased`: delete the shopper's cart."""
    await store.erase_shopper(tx, event["shopper_id"])


def _each(carts: Mapping[str, StoredCart]) -> list[StoredCart]:
    """Return the carts of shoppers, each once."""
    return list({cart.cart_id: cart for cart in carts.values()}.values())


SUBSCRIPTIONS = (
    *KEEP_OFFERS,
    Subscription("stock_changed", store.save_stock, batchable=True),
    Subscription("order_placed", take_out),
    Subscription("order_confirmed", forget_order, batchable=True),
    Subscription("order_cancelled", put_order_back),
    Subscription("shopper_erased", erase_shopper),
)
