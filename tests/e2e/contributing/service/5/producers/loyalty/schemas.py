"""The response model of the loyalty service."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from common.ids import PRINTABLE

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)]


class PointsShown(TypedDict):
    """The points that a shopper has earned."""

    shopper_id: str
    points: int
