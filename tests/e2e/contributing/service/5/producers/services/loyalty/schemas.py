"""The response model of the loyalty service."""

from typing_extensions import TypedDict


class PointsShown(TypedDict):
    """The points that a shopper has earned."""

    shopper_id: str
    points: int
