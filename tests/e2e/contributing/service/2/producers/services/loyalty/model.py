"""The rule of loyalty points: how many a payment earns. Pure."""

from dataclasses import dataclass

MINOR_A_POINT = 100
"""Amount in minor units that earns one point."""


@dataclass(frozen=True, slots=True)
class Points:
    """The points that a shopper has earned."""

    shopper_id: str
    points: int


def earned(amount_minor: int) -> int:
    """Return the points for an amount: a whole number, at least 0."""
    return max(amount_minor, 0) // MINOR_A_POINT
