"""What the points' address answers."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from common.ids import PRINTABLE

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=PRINTABLE)]


class PointsShown(TypedDict):
    """What a shopper has earned."""

    shopper_id: str
    points: int
