"""Compares a replayed data set with the events that the replay made of it, one comparison a kind of row."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.grouping import grouped
from audit.source_comparison import Events, SourceComparison
from audit.sources.order_lines import FIGURES, local_days, sum_lines, unfold_lines
from audit.sources.source_tables import SourceTables

STEPS = {"order_confirmed": "confirmed", "order_shipped": "shipped", "order_delivered": "delivered"}
"""The events of an order's steps → the step."""


def with_sums(orders: pa.Table, lines: pa.Table) -> pa.Table:
    """Return the orders with the sums of their lines, zeros for an order without lines."""
    joined = orders.join(sum_lines(lines, ["order_id"]).drop_columns(["orders"]), "order_id")
    sums = {name: pc.fill_null(joined[name], 0) for name in FIGURES}
    return pa.table({**{name: joined[name] for name in orders.column_names}, **sums})


def orders_of(events: Events, timezone: ZoneInfo) -> pa.Table:
    """Return order_id, shopper_id, day and the sums of the lines of `order_placed`."""
    placed = events["order_placed"]
    orders = pa.table(
        {
            "order_id": placed["order_id"],
            "shopper_id": placed["shopper_id"],
            "day": local_days(placed["occurred_at"], timezone),
        }
    )
    return with_sums(orders, unfold_lines(placed, timezone))


def steps_of(events: Events, timezone: ZoneInfo) -> pa.Table:
    """Return order_id, step, seller_id (empty for a confirmation) and day."""
    steps = []
    for name, step in STEPS.items():
        table = events[name]
        no_seller = pa.array([""] * table.num_rows, pa.string())
        columns = {
            "order_id": table["order_id"],
            "step": pa.array([step] * table.num_rows, pa.string()),
            "seller_id": table["seller_id"] if "seller_id" in table.column_names else no_seller,
            "day": local_days(table["occurred_at"], timezone),
        }
        steps.append(pa.table(columns))
    return pa.concat_tables(steps)


def cancellations_of(events: Events, timezone: ZoneInfo) -> pa.Table:
    """Return order_id and day of the purchase: the source has no times of cancellations."""
    cancelled = events["order_cancelled"]
    days = local_days(cancelled["placed_at"], timezone)
    return pa.table({"order_id": cancelled["order_id"], "day": days})


def by_order(rows: pa.Table, column: str, count: str, total: str) -> pa.Table:
    """Return order_id, and the number and the sum of a column under these names."""
    sums = grouped(rows, "order_id", [(column, "count"), (column, "sum")])
    return sums.rename_columns(["order_id", count, total])


def amounts(rows: pa.Table, count: str) -> pa.Table:
    """Return order_id, the number of rows under a name, and amount_minor."""
    return by_order(rows, "amount_minor", count, "amount_minor")


def reviews_of(events: Events) -> pa.Table:
    """Return what `_reviews` does. A review may be rejected after its publication, and published again."""
    once = grouped(events["review_published"], ("order_id", "review_id"), [("score", "min")])
    return _reviews(events["review_submitted"], once.rename_columns(["order_id", "review_id", "score"]))


def _reviews(submitted: pa.Table, published: pa.Table) -> pa.Table:
    """Return order_id, and the number and the scores of its reviews: of the submitted and the published."""
    both = by_order(submitted, "score", "reviews", "scores").join(
        by_order(published, "score", "published", "published_scores"), "order_id", join_type="full outer"
    )
    known = {name: pc.fill_null(both[name], 0) for name in both.column_names if name != "order_id"}
    return pa.table({"order_id": both["order_id"], **known})


def _comparison(
    name: str,
    what: str,
    unit: str,
    key: tuple[str, ...],
    events: tuple[str, ...],
    expected: Callable[[SourceTables], pa.Table],
    actual: Callable[[Events, ZoneInfo], pa.Table],
    *,
    subject: str = "order_id",
    has_no_times: bool = False,
) -> SourceComparison:
    spec = ComparisonSpec(f"source_vs_{name}", what, "source", "Kafka", unit, key)
    return SourceComparison(spec, events, subject, expected, actual, has_no_times)


_BY_ORDER = ("order_id",)
_BY_SELLER_AND_DAY = ("seller_id", "day")

COMPARISONS: Mapping[str, SourceComparison] = {
    each.spec.name: each
    for each in (
        _comparison(
            "sales",
            "sales by seller and day",
            "seller days",
            _BY_SELLER_AND_DAY,
            ("order_placed",),
            lambda source: sum_lines(source.lines, [*_BY_SELLER_AND_DAY]),
            lambda events, zone: sum_lines(unfold_lines(events["order_placed"], zone), [*_BY_SELLER_AND_DAY]),
        ),
        _comparison(
            "orders",
            "every order",
            "orders",
            _BY_ORDER,
            ("order_placed",),
            lambda source: with_sums(source.orders_placed, source.lines),
            orders_of,
        ),
        _comparison(
            "payments",
            "payments of every order",
            "orders",
            _BY_ORDER,
            ("payment_captured",),
            lambda source: amounts(source.payments, "payments"),
            lambda events, _: amounts(events["payment_captured"], "payments"),
        ),
        _comparison(
            "refunds",
            "refunds of every order",
            "orders",
            _BY_ORDER,
            ("payment_refunded",),
            lambda source: amounts(source.refunds, "refunds"),
            lambda events, _: amounts(events["payment_refunded"], "refunds"),
        ),
        _comparison(
            "order_steps",
            "confirmations, shipments and deliveries of every order",
            "steps",
            ("order_id", "step", "seller_id"),
            tuple(STEPS),
            lambda source: source.steps,
            steps_of,
        ),
        _comparison(
            "cancellations",
            "every cancelled order, by the day on which it was placed",
            "orders",
            _BY_ORDER,
            ("order_cancelled",),
            lambda source: source.cancelled,
            cancellations_of,
            has_no_times=True,
        ),
        _comparison(
            "reviews",
            "reviews of every order, submitted and published",
            "orders",
            _BY_ORDER,
            ("review_submitted", "review_published"),
            lambda source: _reviews(source.reviews, source.reviews),
            lambda events, _: reviews_of(events),
            has_no_times=True,
        ),
        _comparison(
            "sellers",
            "every seller",
            "sellers",
            ("seller_id",),
            ("seller_registered",),
            lambda source: source.sellers,
            lambda events, _: events["seller_registered"].select(["seller_id", "city", "state"]),
            subject="seller_id",
        ),
        _comparison(
            "shoppers",
            "every shopper",
            "shoppers",
            ("shopper_id",),
            ("shopper_registered",),
            lambda source: source.shoppers,
            lambda events, _: events["shopper_registered"].select(["shopper_id"]),
            subject="shopper_id",
        ),
        _comparison(
            "products",
            "every product of every seller",
            "products",
            ("product_id", "seller_id"),
            ("product_listed",),
            lambda source: source.products,
            lambda events, _: events["product_listed"].select(
                ["product_id", "seller_id", "weight_g", "photos"]
            ),
            subject="product_id",
        ),
    )
}
"""Name → comparison: what is computed from the tables alone, and from the events alone."""
