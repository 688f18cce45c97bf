"""Changes stock rows, and emits `stock_changed` for each change."""

from collections.abc import Callable, Mapping, Sequence

from producers.kit.outbox.transaction import Transaction
from producers.services.inventory import store
from producers.services.inventory.model import (
    ChangeReason,
    InsufficientStock,
    ReservationState,
    ReservedLine,
    Stock,
    StockKey,
    StockOfProduct,
)
from producers.services.inventory.problems import DUPLICATE_PRODUCT, HELD_FOR_ORDERS, NOT_LISTED

StockChange = Callable[[Stock, int], Stock]
"""Changes `Stock` by a number of units: `Stock.reserve`, `Stock.sell`, …"""


async def set_stock(tx: Transaction, counts: Sequence[StockOfProduct]) -> list[Stock]:
    """Set all counts or none; return the stock in the order of `counts`. Unchanged stock gets no new version.

    Raises:
        DUPLICATE_PRODUCT: `counts` contains a product of a seller twice.
        NOT_LISTED: the seller does not list the product, and its stock would grow.
        HELD_FOR_ORDERS: orders hold more units than the seller has.
    """
    wanted: dict[StockKey, int] = {}
    for count in counts:
        key = StockKey(count.product_id, count.seller_id)
        if key in wanted:
            raise DUPLICATE_PRODUCT(product_id=key.product_id, seller_id=key.seller_id)
        wanted[key] = count.on_hand
    before = await _lock(tx, sorted(wanted))
    listed = await store.find_listed(tx, wanted)
    for key, on_hand in wanted.items():
        if key not in listed and (not before[key].version or on_hand > before[key].on_hand):
            raise NOT_LISTED(product_id=key.product_id, seller_id=key.seller_id)
    after = {key: _set(before[key], on_hand) for key, on_hand in sorted(wanted.items())}
    changed = [stock for key, stock in after.items() if stock != before[key]]
    if changed:
        await store.save_stock(tx, changed)
    for stock in changed:
        is_growth = stock.on_hand >= before[stock.key].on_hand
        _emit_stock_changed(tx, before[stock.key], stock, "received" if is_growth else "corrected", None)
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
        raise HELD_FOR_ORDERS(product_id=before.product_id, reserved=before.reserved) from error


async def change_stock(
    tx: Transaction,
    units: Mapping[StockKey, int],
    change: StockChange,
    why: ChangeReason,
    order_id: str,
    to: ReservationState | None = None,
) -> None:
    """Lock the rows, change each and emit `stock_changed`; `to` is the reservation's next state."""
    await change_locked_stock(tx, await store.lock_stock(tx, units), units, change, why, order_id, to)


async def change_locked_stock(
    tx: Transaction,
    stock: Mapping[StockKey, Stock],
    units: Mapping[StockKey, int],
    change: StockChange,
    why: ChangeReason,
    order_id: str,
    to: ReservationState | None = None,
    lines: Sequence[ReservedLine] = (),
) -> None:
    """Like `change_stock`, for locked rows; `lines` are stored as the order's reserved lines."""
    changed = [change(stock[key], count) for key, count in units.items()]
    if changed or to:
        await store.save_stock(tx, changed, order_id, to, lines)
    for after in changed:
        _emit_stock_changed(tx, stock[after.key], after, why, order_id)


def _emit_stock_changed(
    tx: Transaction, before: Stock, after: Stock, why: ChangeReason, order_id: str | None
) -> None:
    tx.emit(
        "stock_changed",
        product_id=after.product_id,
        seller_id=after.seller_id,
        change=after.on_hand - before.on_hand,
        on_hand=after.on_hand,
        reserved=after.reserved,
        reason=why,
        order_id=order_id,
        version=after.version,
    )
