"""What sellers earned and were paid, by the time at which it was booked."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from audit.seller_metrics.figures import SourceMonths


def add(lines: Iterable[Mapping[str, Any]], months: SourceMonths) -> None:
    """Add the lines of the query `earning_lines`."""
    for line in lines:
        sums = months.at(line["seller_id"], line["at_ms"]).sums
        amount, shipping = line["amount"], line["shipping"]
        if line["kind"] == "sold":
            kept = commission_minor(amount, line["commission_bp"])
            sums["sold"] += amount
            sums["shipping"] += shipping
            sums["commission"] += kept
            sums["earned"] += amount + shipping - kept
        elif line["kind"] == "cancelled":
            kept = commission_minor(amount, line["commission_bp"])
            sums["cancelled"] += amount
            sums["cancelled_shipping"] += shipping
            sums["commission"] -= kept
            sums["earned"] -= amount + shipping - kept
        elif line["kind"] == "refunded":
            sums["refunded"] += amount
            sums["earned"] -= amount
        else:
            sums["paid"] += amount


def commission_minor(amount_minor: int, rate_bp: int) -> int:
    """Return the commission of a line, rounded half up to the cent."""
    exact = Decimal(amount_minor) * rate_bp / 10_000
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
