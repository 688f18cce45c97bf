"""Compares the payments in PostgreSQL with `payment_captured` and the last `payment_failed`."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_payments",
    what="every payment of the service",
    left="PostgreSQL",
    right="facts",
    unit="payments",
    key=("payment_id",),
)

run = BooksPair(ABOUT).run
