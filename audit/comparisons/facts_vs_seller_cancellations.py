"""Compares the orders cancelled with the table `seller_cancellations_minute`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_seller_cancellations",
    what="cancellations by seller and minute",
    left="facts",
    right="seller_cancellations_minute",
    unit="seller minutes",
    key=("seller_id", "minute", "currency"),
)

run = QueryPair(ABOUT).run
