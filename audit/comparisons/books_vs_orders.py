"""Compares the orders in PostgreSQL with their events: who bought when, for how much, and what went back."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_orders",
    what="every order of the service",
    left="PostgreSQL",
    right="facts",
    unit="orders",
    key=("order_id",),
)

run = BooksPair(ABOUT).run
