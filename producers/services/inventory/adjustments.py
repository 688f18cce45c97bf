"""Sets stock to the units that a seller counted."""

from collections.abc import Sequence
from typing import NamedTuple

from producers.kit.outbox.transaction import Transaction
from producers.services.inventory import store
from producers.services.inventory.model import InsufficientStock, Stock, StockKey
from producers.services.inventory.problems import DuplicateProduct, HeldForOrders, NotListed
from producers.services.inventory.stock_events import emit_stock_changed


class StockCount(NamedTuple):
    """The units of a product that a seller has."""

    key: StockKey
    on_hand: int


async def set_stock(tx: Transaction, counts: Sequence[StockCount]) -> list[Stock]:
    """Set all counts or none; return the stock in the order of `counts`. Unchanged stock gets no new version.

    Raises:
        DuplicateProduct: `counts` contains a product of a seller twice.
        NotListed: the seller does not list the product, and its stock would grow.
        HeldForOrders: orders hold more units than the seller has.
    """
    wanted: dict[StockKey, int] = {}
    for key, on_hand in counts:
        if key in wanted:
            raise DuplicateProduct(*key)
        wanted[key] = on_hand
    before = await _lock(tx, sorted(wanted))
    listed = await store.find_listed(tx, wanted)
    for key, on_hand in wanted.items():
        if key not in listed and (not before[key].version or on_hand > before[key].on_hand):
            raise NotListed(*key)
    after = {key: _set(before[key], on_hand) for key, on_hand in sorted(wanted.items())}
    changed = [stock for key, stock in after.items() if stock != before[key]]
    if changed:
        await store.save_stock(tx, changed)
    for stock in changed:
        is_growth = stock.on_hand >= before[stock.key].on_hand
        emit_stock_changed(tx, before[stock.key], stock, "received" if is_growth else "corrected", None)
    return [after[key] for key in wanted]


async def _lock(tx: Transaction, keys: Sequence[StockKey]) -> dict[StockKey, Stock]:
    """Lock and return the rows. A product without stock gets a row of version 0.

    Missing rows are inserted before any row is locked. Both steps follow the order of the keys, which avoids
    deadlocks.
    """
    await store.insert_missing_stock(tx, keys)
    return await store.lock_stock(tx, keys)


def _set(before: Stock, on_hand: int) -> Stock:
    if on_hand == before.on_hand and before.version:
        return before
    try:
        return before.set(on_hand)
    except InsufficientStock as error:
        raise HeldForOrders(before.key.product_id, before.reserved) from error
