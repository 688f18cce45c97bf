"""Compares the payments captured with the table `payments_minute`."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_payments",
    what="payments by minute and method",
    left="facts",
    right="payments_minute",
    unit="minutes and methods",
    key=("minute", "method", "currency"),
)

run = QueryPair(ABOUT).run
