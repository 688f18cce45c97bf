"""Compares the stock in PostgreSQL with `stock_changed`: the newest version, and all changes added up."""

from audit.books_pair import BooksPair
from audit.comparison import About

ABOUT = About(
    name="books_vs_stock",
    what="stock of every product",
    left="PostgreSQL",
    right="facts",
    unit="products",
    key=("product_id", "seller_id"),
)

run = BooksPair(ABOUT).run
