"""Compares the orders placed, and those cancelled, with the table `marketplace_sales_minute`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_marketplace_sales",
    what="sales and cancellations by minute",
    left="facts",
    right="marketplace_sales_minute",
    unit="minutes",
    key=("minute", "currency"),
)

run = QueryPair(ABOUT).run
