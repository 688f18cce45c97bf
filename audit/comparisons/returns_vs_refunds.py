"""Compares the returns of sellers with the refunds that payments made of them."""

from audit.comparison import About
from audit.returns_pair import ReturnsPair

ABOUT = About(
    name="returns_vs_refunds",
    what="every return's refund",
    left="facts",
    right="refunds",
    unit="returns",
    key=("order_id", "return_id"),
)

run = ReturnsPair(ABOUT, "payments").run
