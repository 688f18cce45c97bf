"""Compares how far orders have come in PostgreSQL with the table `order_state`."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_order_state",
    what="status of every order of the service",
    left="PostgreSQL",
    right="order_state",
    unit="orders",
    key=("order_id",),
)

run = BooksPair(ABOUT).run
