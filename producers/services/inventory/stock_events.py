"""Changes stock rows and emits `stock_changed` for each change."""

from collections.abc import Callable, Mapping, Sequence

from producers.kit.outbox.transaction import Transaction
from producers.services.inventory import store
from producers.services.inventory.model import ChangeReason, ReservationState, ReservedLine, Stock, StockKey

StockChange = Callable[[Stock, int], Stock]
"""Changes `Stock` by a number of units: `Stock.reserve`, `Stock.sell`, …"""


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
        emit_stock_changed(tx, stock[after.key], after, why, order_id)


def emit_stock_changed(
    tx: Transaction, before: Stock, after: Stock, why: ChangeReason, order_id: str | None
) -> None:
    """Emit `stock_changed` for one row."""
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
