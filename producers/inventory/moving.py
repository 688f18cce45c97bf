"""Moves stock and says so: the one place that changes a stock row."""

from collections.abc import Callable, Mapping, Sequence

from producers.inventory import store
from producers.inventory.model import Change, Key, Line, State, Stock
from producers.outbox.transaction import Transaction

Move = Callable[[Stock, int], Stock]
"""A change of `Stock` by a number of units: `Stock.reserve`, `Stock.sell`, …"""


async def move(
    tx: Transaction,
    units: Mapping[Key, int],
    change: Move,
    why: Change,
    order_id: str,
    to: State | None = None,
) -> None:
    """Lock the rows, change each, tell of each with `stock_changed`; `to` is the reservation's next state."""
    await save(tx, await store.lock_stock(tx, units), units, change, why, order_id, to)


async def save(
    tx: Transaction,
    stock: Mapping[Key, Stock],
    units: Mapping[Key, int],
    change: Move,
    why: Change,
    order_id: str,
    to: State | None = None,
    lines: Sequence[Line] = (),
) -> None:
    """The same for rows that are locked already; `lines` are what the order holds from now on."""
    changed = [change(stock[key], count) for key, count in units.items()]
    if changed or to:
        await store.save_stock(tx, changed, order_id, to, lines)
    for after in changed:
        say(tx, stock[after.key], after, why, order_id)


def say(tx: Transaction, before: Stock, after: Stock, why: Change, order_id: str | None) -> None:
    """Tell of a change."""
    tx.emit(
        "stock_changed",
        product_id=after.key.product_id,
        seller_id=after.key.seller_id,
        change=after.on_hand - before.on_hand,
        on_hand=after.on_hand,
        reserved=after.reserved,
        reason=why,
        order_id=order_id,
        version=after.version,
    )
