"""The request and the response of the event intake."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from common.problems import ProblemDetails


class EventBatch(TypedDict):
    """A batch of browsing events."""

    events: Annotated[
        list[dict[str, Any]],
        Field(
            min_length=1,
            max_length=500,
            description="Each has `event` (product_viewed, search_performed, cart_changed, "
            "recommendation_shown or recommendation_clicked) and the fields of its schema. `event_id` (a "
            "UUID; it makes a repeated request safe) and `occurred_at` (at most 30 days ago) are optional.",
        ),
    ]


class EventProblem(TypedDict):
    """What is wrong with one event, as a problem of RFC 9457."""

    type: Annotated[
        str,
        Field(description="The URI of the kind of problem.", examples=["urn:souk:problem:bad-event-time"]),
    ]
    title: Annotated[str, Field(description="The kind of problem in words.")]
    status: Annotated[
        int,
        Field(description="The HTTP status that the event would get in a batch of its own.", examples=[422]),
    ]
    detail: Annotated[str, Field(description="Which field is wrong, and how.")]


class RejectedEvent(TypedDict):
    """An event that was not accepted."""

    index: Annotated[int, Field(description="The index of the event in `events`, from 0.")]
    problem: EventProblem


class IntakeResult(TypedDict):
    """The result of a batch. Kafka has stored the accepted events."""

    accepted: int
    event_ids: Annotated[list[str], Field(description="The ids of the accepted events, in the order sent.")]
    left_out: Annotated[
        int,
        Field(description="Events about offers of a seller on whose staff the sender is. They do not count."),
    ]
    rejected: list[RejectedEvent]


class EventBatchProblem(ProblemDetails):
    """The body is not a batch of events, or no event can be accepted."""

    rejected: list[RejectedEvent] = Field(
        default=[], description="What is wrong with each event; left out if the body is not a batch."
    )
