"""Compares the orders cancelled with the table `marketplace_cancellations_minute`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_marketplace_cancellations",
    what="cancellations by minute",
    left="facts",
    right="marketplace_cancellations_minute",
    unit="minutes",
    key=("minute", "currency"),
)

run = QueryPair(ABOUT).run
