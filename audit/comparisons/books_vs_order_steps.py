"""Compares the steps of orders in PostgreSQL with the events that tell of them."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_order_steps",
    what="every step of the service's orders",
    left="PostgreSQL",
    right="facts",
    unit="steps",
    key=("order_id", "step"),
)

run = BooksPair(ABOUT).run
