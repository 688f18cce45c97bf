"""The rule of points, without a database: what a payment earns."""

MINOR_A_POINT = 100
"""Minor units of money that earn one point."""


def earned(amount_minor: int) -> int:
    """Points for an amount: whole ones, never less than none."""
    return max(amount_minor, 0) // MINOR_A_POINT
