"""Compares the returns of sellers with the units that inventory's books say came back."""

from audit.comparison import About
from audit.returns_pair import ReturnsPair

ABOUT = About(
    name="returns_vs_reservations",
    what="what came back of every order line: units",
    left="facts",
    right="inventory",
    unit="order lines",
    key=("order_id", "line_number"),
)

run = ReturnsPair(ABOUT, "inventory").run
