"""Compares orders with inventory: sold what is confirmed, free what is cancelled."""

from audit.books_pair import BooksInside
from audit.comparison import About

ABOUT = About(
    name="orders_vs_reservations",
    what="units of every order",
    left="orders",
    right="inventory",
    unit="orders",
    key=("order_id",),
)

run = BooksInside(ABOUT).run
