"""Compares the reservations in PostgreSQL with the events of stock that orders caused."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_reservations",
    what="what became of every order's units",
    left="PostgreSQL",
    right="facts",
    unit="orders",
    key=("order_id",),
)

run = BooksPair(ABOUT).run
