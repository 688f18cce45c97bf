"""Compares the source's order items with `order_placed`: what each seller sold on each day."""

from audit.comparison import About
from audit.source_pair import SourcePair
from audit.sources.order_lines import add_up, unfold

ABOUT = About(
    name="source_vs_sales",
    what="sales by seller and day",
    left="source",
    right="Kafka",
    unit="seller days",
    key=("seller_id", "day"),
)
_KEY = list(ABOUT.key)

run = SourcePair(
    ABOUT,
    events=("order_placed",),
    subject="order_id",
    expected=lambda source: add_up(source.lines, _KEY),
    actual=lambda events, timezone: add_up(unfold(events["order_placed"], timezone), _KEY),
).run
