"""Compares the order lines in PostgreSQL with those of `order_placed`."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_order_lines",
    what="every line of the service's orders",
    left="PostgreSQL",
    right="facts",
    unit="lines",
    key=("order_id", "line_number"),
)

run = BooksPair(ABOUT).run
