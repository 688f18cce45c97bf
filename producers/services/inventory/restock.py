"""Finds products that need more stock, from what was sold lately, and emits `restock_needed` (a worker)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from common.settings import Settings
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.polling import poll
from producers.kit.postgres.statements import statement

SOLD_DAYS = 28
"""The days whose sales say how fast a product sells."""

LEAD_DAYS = 7
"""The stock needs more when it lasts no longer than this."""

COVER_DAYS = 28
"""The suggested quantity fills the stock up to what sells in this time."""

_CHECK_EVERY_S = 10.0
_LEVELS_EVERY = timedelta(minutes=15)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class RestockNeed:
    """A product whose stock is at or below the level at which it needs more."""

    product_id: str
    available: Annotated[int, Field(description="Units that can still be sold.")]
    threshold: Annotated[int, Field(description=f"The units that sell in {LEAD_DAYS} days.")]
    sold: Annotated[int, Field(description=f"The units sold in the last {SOLD_DAYS} days.")]
    on_hand: int
    suggested_quantity: Annotated[
        int, Field(description=f"Units to order: what sells in {COVER_DAYS} days, less what is available.")
    ]


class RestockNeeds(TypedDict):
    """What needs more stock, the most urgent first."""

    needs: list[RestockNeed]


@dataclass(frozen=True, slots=True)
class _SellersNeed(RestockNeed):
    seller_id: str


_AVAILABLE = "stock.on_hand - stock.reserved"
_NEED = f"""
    product_id, {_AVAILABLE} AS available, levels.threshold, levels.sold, stock.on_hand,
    greatest(1, ceil(levels.sold * {COVER_DAYS}::float / {SOLD_DAYS})::integer - ({_AVAILABLE}))
        AS suggested_quantity
"""
_NEEDS = f"""
    FROM restock_levels AS levels
    JOIN stock USING (product_id, seller_id)
    JOIN listings USING (product_id, seller_id)
    WHERE listings.listed AND {_AVAILABLE} <= levels.threshold
"""


@statement(f"""
    SELECT {_NEED} {_NEEDS} AND levels.seller_id = $seller_id::text
    ORDER BY ({_AVAILABLE})::float / levels.sold, levels.sold DESC, product_id
    LIMIT 500
""")
async def find_needs(sql: Any, seller_id: str) -> list[RestockNeed]:
    """Return the products of a seller that need more stock, those that are sold out soonest first."""


@statement(f"""
    WITH needs AS (
        SELECT {_NEED}, seller_id {_NEEDS} AND NOT levels.told
        ORDER BY seller_id, product_id LIMIT $limit::integer
    )
    UPDATE restock_levels AS levels SET told = true FROM needs
    WHERE levels.product_id = needs.product_id AND levels.seller_id = needs.seller_id
    RETURNING needs.*
""")
async def _tell(tx: Transaction, limit: int) -> list[_SellersNeed]:
    """Mark needs as told, and return them."""


@statement("""
    UPDATE restock_levels AS levels SET told = false FROM stock
    WHERE stock.product_id = levels.product_id AND stock.seller_id = levels.seller_id
        AND levels.told AND stock.on_hand - stock.reserved > levels.threshold
""")
async def _forget_refilled(tx: Transaction) -> None:
    """Forget that products were told of whose stock is above the level again."""


@statement("""
    WITH sold AS (
        SELECT product_id, seller_id, sum(quantity - returned - written_off)::integer AS units
        FROM reservations JOIN reserved_lines USING (order_id)
        WHERE state = 'sold' AND expires_at > $tx.now::timestamptz - $period::interval
        GROUP BY product_id, seller_id
        HAVING sum(quantity - returned - written_off) > 0
    ), gone AS (
        DELETE FROM restock_levels AS levels
        WHERE NOT EXISTS (
            SELECT FROM sold WHERE sold.product_id = levels.product_id AND sold.seller_id = levels.seller_id
        )
    )
    INSERT INTO restock_levels (product_id, seller_id, sold, threshold)
    SELECT product_id, seller_id, units, ceil(units * $lead_share::float)::integer FROM sold
    ON CONFLICT (seller_id, product_id) DO UPDATE SET sold = excluded.sold, threshold = excluded.threshold
""")
async def save_levels(
    tx: Transaction,
    period: timedelta = timedelta(days=SOLD_DAYS),
    lead_share: float = LEAD_DAYS / SOLD_DAYS,
) -> None:
    """Compute how fast each product sells, and the stock at which it needs more."""


async def watch_stock(transactions: Transactions, settings: Settings) -> None:
    """Compute the levels every quarter of an hour, and tell of needs every few seconds, until cancelled."""
    computed_at = None

    async def work() -> int:
        nonlocal computed_at
        async with transactions.begin(Trace.start("restock", None)) as tx:
            is_due = computed_at is None or tx.now - computed_at >= _LEVELS_EVERY
            if is_due:
                await save_levels(tx)
            await _forget_refilled(tx)
            needs = await _tell(tx, _BATCH)
            for need in needs:
                tx.emit(
                    "restock_needed",
                    product_id=need.product_id,
                    seller_id=need.seller_id,
                    available=need.available,
                    threshold=need.threshold,
                    suggested_quantity=need.suggested_quantity,
                )
        if is_due:
            computed_at = tx.now
        return len(needs)

    await poll("inventory restock", _CHECK_EVERY_S, work, settings.stop_timeout_s, drains=True)
