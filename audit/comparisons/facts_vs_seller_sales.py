"""Compares the orders placed, and those cancelled, with the table `seller_sales_minute`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_seller_sales",
    what="sales and cancellations by seller and minute",
    left="facts",
    right="seller_sales_minute",
    unit="seller minutes",
    key=("seller_id", "minute", "currency"),
)

run = QueryPair(ABOUT).run
