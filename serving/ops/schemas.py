"""What health and readiness look like."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict


class Health(TypedDict):
    """This process answers."""

    status: Literal["ok"]


class PartState(TypedDict):
    """One part that the platform needs."""

    part: Annotated[str, Field(examples=["clickhouse"])]
    needed: Annotated[
        bool, Field(description="Whether the platform counts as ready only with it; all but `commerce`.")
    ]
    ready: bool
    detail: Annotated[str, Field(description="What it answered, or what is missing and what to do.")]


class Readiness(TypedDict):
    """Whether the whole platform can serve; `parts` says which one is missing."""

    ready: bool
    missing: Annotated[list[str], Field(description="The needed parts that are not ready.", examples=[[]])]
    parts: list[PartState]
