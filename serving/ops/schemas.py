"""The answers of health and readiness."""

from datetime import datetime
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
        bool,
        Field(description="Whether the platform is ready only with this part: true for all but `commerce`."),
    ]
    ready: bool
    detail: Annotated[str, Field(description="The part's answer, or what is missing and what to do.")]


class FiguresState(TypedDict):
    """How far the figures are. They do not decide about `ready`: what is counted already can be served."""

    as_of: Annotated[
        datetime | None,
        Field(description="Up to this event time all figures are complete; null at first."),
    ]
    behind_s: Annotated[float | None, Field(description="Seconds between `as_of` and now.")]
    messages_behind: Annotated[
        int | None,
        Field(description="Messages that are not counted yet; null while Kafka does not answer."),
    ]
    catching_up: Annotated[
        bool,
        Field(description="Whether older messages are still being counted, so that figures will rise."),
    ]


class Readiness(TypedDict):
    """Whether every needed part answers; `parts` says which one does not."""

    ready: bool
    missing: Annotated[list[str], Field(description="The needed parts that are not ready.", examples=[[]])]
    parts: list[PartState]
    figures: Annotated[FiguresState | None, Field(description="Null while ClickHouse does not answer.")]
