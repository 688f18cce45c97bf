"""Compares the events of parcels with what the table `order_state` says of each seller's."""

from audit.comparison import About
from audit.query_pair import QueryPair

ABOUT = About(
    name="facts_vs_parcels",
    what="each seller's parcels of every order",
    left="facts",
    right="order_state",
    unit="sellers of an order",
    key=("order_id", "seller_id"),
)

run = QueryPair(ABOUT).run
