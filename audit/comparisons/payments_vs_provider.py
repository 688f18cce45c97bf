"""Compares what payments took and gave back with the payment provider's own books."""

from audit.books_pair import BooksInside
from audit.comparison import About

ABOUT = About(
    name="payments_vs_provider",
    what="money taken and given back",
    left="payments",
    right="provider",
    unit="payments",
    key=("payment_id",),
)

run = BooksInside(ABOUT).run
