"""Compares the returns of sellers with what payments' books say came back of each line."""

from audit.comparison import About
from audit.returns_pair import ReturnsPair

ABOUT = About(
    name="returns_vs_payments",
    what="what came back of every order line: money",
    left="facts",
    right="payments",
    unit="order lines",
    key=("order_id", "line_number"),
)

run = ReturnsPair(ABOUT, "payments", without_lines=True).run
