"""What is sent to the intake, and what it answers."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from common.problems import ProblemDetails


class SentEvents(TypedDict):
    """A batch of browsing events."""

    events: Annotated[
        list[dict[str, Any]],
        Field(
            min_length=1,
            max_length=500,
            description="Each with `event` (product_viewed, search_performed, cart_changed, "
            "recommendation_shown or recommendation_clicked) and the fields of its schema. `event_id` (a "
            "UUID; makes sending twice harmless) and `occurred_at` (at most 30 days ago) may be left out.",
        ),
    ]


class EventProblem(TypedDict):
    """What is wrong with one event, as RFC 9457 has it."""

    type: Annotated[
        str, Field(description="What kind of problem.", examples=["urn:souk:problem:bad-event-time"])
    ]
    title: Annotated[str, Field(description="The kind in words.")]
    status: Annotated[int, Field(description="The HTTP status that it would have alone.", examples=[422])]
    detail: Annotated[str, Field(description="Which field is wrong, and how.")]


class RejectedEvent(TypedDict):
    """An event that was not taken."""

    index: Annotated[int, Field(description="Its place in `events`, from 0.")]
    problem: EventProblem


class Taken(TypedDict):
    """What became of a batch: those accepted are in Kafka, to stay."""

    accepted: int
    event_ids: Annotated[list[str], Field(description="Ids of the accepted events, in their order.")]
    rejected: list[RejectedEvent]


class EventsRefused(ProblemDetails):
    """The body is no batch of events, or none of them can be used."""

    rejected: list[RejectedEvent] = Field(
        default=[], description="What is wrong with each event; left out where the body is no batch."
    )
