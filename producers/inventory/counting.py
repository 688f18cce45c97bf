"""Sets stock to what a seller counted."""

from collections.abc import Sequence
from typing import NamedTuple

from producers.inventory import store
from producers.inventory.model import Key, NotEnough, Stock
from producers.inventory.moving import say
from producers.inventory.problems import HeldForOrders, SaidTwice
from producers.outbox.transaction import Transaction


class Counted(NamedTuple):
    """What a seller has of a product."""

    key: Key
    on_hand: int


async def count(tx: Transaction, counted: Sequence[Counted]) -> list[Stock]:
    """Set all of it or nothing; the stock after it, as asked. What is as it was gets no new version.

    Raises:
        SaidTwice: a product of a seller is there twice.
        HeldForOrders: orders hold more than the seller says there is.
    """
    wanted: dict[Key, int] = {}
    for key, on_hand in counted:
        if key in wanted:
            raise SaidTwice(*key)
        wanted[key] = on_hand
    before = await _lock(tx, sorted(wanted))
    after = {key: _set(before[key], on_hand) for key, on_hand in sorted(wanted.items())}
    changed = [stock for key, stock in after.items() if stock != before[key]]
    if changed:
        await store.save_stock(tx, changed)
    for stock in changed:
        grew = stock.on_hand >= before[stock.key].on_hand
        say(tx, before[stock.key], stock, "received" if grew else "corrected", None)
    return [after[key] for key in wanted]


async def _lock(tx: Transaction, keys: Sequence[Key]) -> dict[Key, Stock]:
    """The rows, locked; a product that was never counted gets one, of version 0 until it is written.

    New rows come before any lock, and both in the order of the keys: no two transactions wait for each other.
    """
    await store.make_stock(tx, keys)
    return await store.lock_stock(tx, keys)


def _set(before: Stock, on_hand: int) -> Stock:
    if on_hand == before.on_hand and before.version:
        return before
    try:
        return before.set(on_hand)
    except NotEnough as error:
        raise HeldForOrders(before.key.product_id, before.reserved) from error
