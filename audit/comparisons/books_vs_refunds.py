"""Compares the refunds in PostgreSQL with `payment_refunded`."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_refunds",
    what="every refund of the service",
    left="PostgreSQL",
    right="facts",
    unit="refunds",
    key=("refund_id",),
)

run = BooksPair(ABOUT).run
