"""Compares the units held for orders with what the stock says is reserved."""

from audit.books_pair import BooksInside
from audit.comparison import About

ABOUT = About(
    name="reservations_vs_stock",
    what="units held of every product",
    left="reservations",
    right="stock",
    unit="products",
    key=("product_id", "seller_id"),
)

run = BooksInside(ABOUT).run
