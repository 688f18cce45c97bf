"""What the audit reads of a replayed or imported source, whatever its files look like."""

from typing import Protocol

import pyarrow as pa

from audit.sources.sent_ranges import SentRanges


class SourceTables(Protocol):
    """The rows of a source, as tables to compare. Amounts are in the smallest coin; days are the shop's."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the reader of every comparison."""

    @property
    def sent(self) -> SentRanges:
        """The time ranges whose events must be in Kafka."""

    @property
    def whole(self) -> bool:
        """Whether all times are chosen, so that no rows are left out."""

    def ids(self, subject: str) -> pa.ChunkedArray:
        """Return every id of the source; `subject` is a column such as `order_id`."""

    @property
    def orders_placed(self) -> pa.Table:
        """One row per order: order_id, shopper_id, day."""

    @property
    def lines(self) -> pa.Table:
        """Rows of orders: order_id, seller_id, product_id, day, units, gross_minor, shipping_minor."""

    @property
    def payments(self) -> pa.Table:
        """One row per payment: order_id, amount_minor."""

    @property
    def refunds(self) -> pa.Table:
        """One row per refund: order_id, amount_minor."""

    @property
    def steps(self) -> pa.Table:
        """One row per step of an order: order_id, step, seller_id (a shipment's, else empty), day."""

    @property
    def cancelled(self) -> pa.Table:
        """The cancelled orders: order_id, day (of the purchase)."""

    @property
    def reviews(self) -> pa.Table:
        """One row per review: order_id, score."""

    @property
    def sellers(self) -> pa.Table:
        """The sellers: seller_id, city, state."""

    @property
    def shoppers(self) -> pa.Table:
        """The people who placed orders: shopper_id."""

    @property
    def products(self) -> pa.Table:
        """The products by seller: product_id, seller_id, weight_g, photos."""
