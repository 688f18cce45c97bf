"""The route that accepts browsing events."""

from collections.abc import AsyncIterator, Mapping, Set
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from common.access_policy import AccessPolicy, allow
from common.clock import Clock
from common.content_type import JSON
from common.openapi import NOT_JSON, json_request_body, openapi_problem
from common.problems import problem
from common.settings import Settings
from serving.event_collector.schemas import EventBatch, EventBatchProblem, IntakeResult
from serving.event_collector.service import EventIntake
from serving.gateway.described_routes import guarded
from serving.gateway.gateway import identity_of
from serving.kit.domain import DomainDefinition, reads
from serving.kit.problems import BAD_BODY
from serving.kit.request_body import read_json

POLICIES: Mapping[str, AccessPolicy] = {
    "take_events": allow("guest", "shopper", "platform", traffic="write"),
}
"""Who may send browsing events: visitors, about themselves, and processes of the platform."""


NO_EVENT_ACCEPTED = problem(
    422,
    "no-event-taken",
    "None of these events can be used",
    "None of {count} events was accepted; `rejected` has the reason of each. The first: {first}. "
    "Correct the events before you send them again.",
    members={"rejected": "rejected"},
)
"""`rejected` has an entry for each event, as in the response to a batch."""

BODY_LIMIT = 1024 * 1024
MAX_EVENTS = 500

EXAMPLE = {
    "events": [
        {
            "event": "product_viewed",
            "session_id": "5b1f0c2e9a7d4e10",
            "shopper_id": "shopper-000001",
            "product_id": "product-000001",
            "source": "direct",
        }
    ]
}
UNUSABLE = openapi_problem(
    422, "The body is not a batch of events, or no event can be accepted.", EventBatchProblem
)
TOO_LARGE = openapi_problem(413, "The body exceeds 1 MB.")
UNAVAILABLE = openapi_problem(
    503, "Kafka or the registry does not answer; send the same events again after `Retry-After` seconds."
)

router = APIRouter(route_class=guarded(POLICIES), prefix="/v1")


@router.post(
    "/events",
    tags=["events"],
    summary="Send browsing events",
    status_code=202,
    response_model=IntakeResult,
    responses=UNUSABLE | TOO_LARGE | NOT_JSON | UNAVAILABLE,
    openapi_extra=json_request_body(EventBatch, EXAMPLE),
)
async def take_events(
    request: Request, intake: Annotated[EventIntake, Depends(reads(EventIntake))]
) -> Response:
    """Accept up to 500 browsing events. The response is sent once Kafka has stored them.

    Each event is validated on its own. `rejected` lists the events that were not accepted, with the reason;
    the others are accepted. If none is accepted, the response is 422, with `rejected`. Events of a seller's
    staff about the seller's own offers are not stored: `left_out` counts them. To make a batch safe
    to repeat, give each event an `event_id`: events with the same id count once.
    """
    events = _with_shopper(request, _events(await read_json(request, BODY_LIMIT)))
    traceparent, person = request.headers.get("traceparent"), identity_of(request).signed_in
    own = frozenset(person.sellers) if person else frozenset()
    result = await intake.take(events, traceparent, _visitor_ids(request), own)
    if not result["accepted"] and not result["left_out"]:
        rejected = result["rejected"]
        raise NO_EVENT_ACCEPTED(
            count=len(rejected), first=rejected[0]["problem"]["detail"], rejected=rejected
        )
    return Response(orjson.dumps(result), 202, {"Cache-Control": "no-store"}, JSON)


def _visitor_ids(request: Request) -> Set[str] | None:
    """Return the sessions and shoppers of which the sender may tell; None for a process of the platform."""
    identity = identity_of(request)
    principal = identity.principal
    if principal is None or "platform" in principal.roles:
        return None
    return {*principal.shopper_ids, *([identity.session_id] if identity.session_id else [])}


def _with_shopper(request: Request, events: list[Any]) -> list[Any]:
    """Return the events with the shopper id of the person who is signed in, where they name none.

    Pages that are the same for everybody do not contain this id, so their scripts can't send it.
    """
    person = identity_of(request).signed_in
    if person is None or person.shopper_id is None:
        return events
    return [
        {**event, "shopper_id": person.shopper_id}
        if isinstance(event, dict) and event.get("shopper_id") is None
        else event
        for event in events
    ]


def _events(body: bytes) -> list[Any]:
    """Return the list `events` of a body.

    Raises:
        BAD_BODY: the body is not JSON, has no such list, or the list is empty or too long.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BAD_BODY(detail=f'The body is not JSON ({error}). Send {{"events": [...]}}.') from error
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or set(content) != {"events"}:
        raise BAD_BODY(
            detail='The body must be {"events": [...]} without other fields. See /docs for an example.'
        )
    if not 1 <= len(events) <= MAX_EVENTS:
        raise BAD_BODY(detail=f"There are {len(events)} events; send 1 to {MAX_EVENTS} at a time.")
    return events


@asynccontextmanager
async def _open(settings: Settings, clock: Clock) -> AsyncIterator[EventIntake]:
    """Open the intake. It connects to Kafka and the registry with the first batch."""
    async with aclosing(EventIntake(settings, clock)) as intake:
        yield intake


INTAKE = DomainDefinition((router,), _open)
