"""Compares the points in PostgreSQL with the payments that earned them."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_points",
    what="points of every paid order",
    left="PostgreSQL",
    right="facts",
    unit="orders",
    key=("order_id",),
)

run = BooksPair(ABOUT).run
