"""Compares the orders' events with the table `order_state`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_order_state",
    what="state of every order",
    left="facts",
    right="order_state",
    unit="orders",
    key=("order_id",),
)

run = QueryPair(ABOUT).run
