"""Compares the lines inside `order_placed` with the table `order_lines`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_order_lines",
    what="every line of every order",
    left="facts",
    right="order_lines",
    unit="order lines",
    key=("seller_id", "placed_at", "order_id", "line_number"),
)

run = QueryPair(ABOUT).run
