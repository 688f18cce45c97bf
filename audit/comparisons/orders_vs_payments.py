"""Compares what orders are worth with what was taken: a confirmed order's total, exactly once."""

from audit.books_pair import BooksInside
from audit.comparison import About

ABOUT = About(
    name="orders_vs_payments",
    what="money kept of every order",
    left="orders",
    right="payments",
    unit="orders",
    key=("order_id",),
)

run = BooksInside(ABOUT).run
