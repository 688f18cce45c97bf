"""Compares the orders placed with the table `product_sales_minute`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_product_sales",
    what="sales by seller, product and minute",
    left="facts",
    right="product_sales_minute",
    unit="product minutes",
    key=("seller_id", "product_id", "minute", "currency"),
)

run = QueryPair(ABOUT).run
