"""The responses of the health and readiness routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from serving.gateway.service_routes import AddressState


class Health(TypedDict):
    """This process answers."""

    status: Literal["ok"]


class PartState(TypedDict):
    """The state of one part of the platform."""

    part: Annotated[str, Field(examples=["clickhouse"])]
    needed: Annotated[
        bool,
        Field(description="Whether `ready` depends on this part: true for all parts but `commerce`."),
    ]
    ready: bool
    detail: Annotated[str, Field(description="Details of a ready part, or what is missing and what to do.")]


class FiguresState(TypedDict):
    """How complete the figures are. `ready` depends on it only until the past was counted once."""

    as_of: Annotated[
        datetime | None,
        Field(description="The event time up to which all figures are complete; null while there are none."),
    ]
    behind_s: Annotated[float | None, Field(description="Seconds between `as_of` and now.")]
    current: Annotated[bool, Field(description="Whether the figures are at most a minute old.")]
    messages_behind: Annotated[
        int | None,
        Field(description="Messages that are not counted yet; null while Kafka does not answer."),
    ]
    catching_up: Annotated[
        bool,
        Field(description="Whether older messages are still being counted, so that figures will rise."),
    ]


class Readiness(TypedDict):
    """Whether this process can serve. `missing` says what it lacks."""

    ready: bool
    missing: Annotated[
        dict[str, str],
        Field(
            description="What is missing, with the reason: a needed part; `job:` and the name of each Flink "
            "job that does not run; `migrations` if ClickHouse's tables are older than this version; "
            "`figures` while the past is being counted; `stopping` once the process has been told to stop.",
            examples=[{}],
        ),
    ]
    notes: Annotated[
        dict[str, str],
        Field(description="What an operator should know although it can serve, such as newer `migrations`."),
    ]
    parts: list[PartState]
    figures: Annotated[
        FiguresState | None, Field(description="Null while ClickHouse does not answer, or if excluded.")
    ]


class ServiceState(TypedDict):
    """A commerce service and its addresses, as the process that answers sees them."""

    service: Annotated[str, Field(examples=["orders"])]
    addresses: list[AddressState]


class ServerState(TypedDict):
    """A server that the platform uses, and whether it answers."""

    server: Annotated[str, Field(examples=["clickhouse"])]
    address: Annotated[str, Field(examples=["http://127.0.0.1:8123"])]
    healthy: bool
    needed: Annotated[bool, Field(description="Whether the platform can't serve without it.")]
    detail: Annotated[str, Field(description="Details of a healthy one, or what is missing and what to do.")]


class BreakerStatus(TypedDict):
    """A circuit breaker. Of several processes, it has the state that refuses the most."""

    breaker: Annotated[str, Field(description="The part whose calls it watches.", examples=["redis"])]
    state: Annotated[
        Literal["closed", "half_open", "open"],
        Field(description="`closed`: calls are made; `open`: none; `half_open`: a few trial calls."),
    ]
    opened: Annotated[int, Field(description="How often it has opened since the server started.")]


class RefusedRequests(TypedDict):
    """How many requests of a traffic class were refused since the server started, and why."""

    traffic: Annotated[str, Field(examples=["read"])]
    reason: Annotated[str, Field(examples=["quota"])]
    requests: int


class OpsServices(TypedDict):
    """What is where, and what protects it."""

    services: list[ServiceState]
    servers: list[ServerState]
    breakers: list[BreakerStatus]
    refused: list[RefusedRequests]
