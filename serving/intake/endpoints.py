"""The address that takes browsing events."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from common.json_bodies import JSON, calls_itself_json
from serving.body import read_body
from serving.intake.schemas import EventsRefused, SentEvents, Taken
from serving.intake.service import Intake
from serving.problems import BadBody, NoEventTaken, NotJson
from serving.shop.documented import NOT_JSON, problem, sends

BODY_LIMIT = 1024 * 1024
MOST_EVENTS = 500

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
REFUSED = problem(422, "The body is no batch of events, or none of them can be used.", EventsRefused)
TOO_LARGE = problem(413, "The body is over 1 MB.")
AWAY = problem(503, "Kafka or the registry does not answer; send the same again after `Retry-After` seconds.")

router = APIRouter(prefix="/v1")


async def _intake(request: Request) -> Intake:
    intake: Intake = request.app.state.intake
    return intake


@router.post(
    "/events",
    tags=["events"],
    summary="Tell what shoppers do",
    status_code=202,
    response_model=Taken,
    responses=REFUSED | TOO_LARGE | NOT_JSON | AWAY,
    openapi_extra=sends(SentEvents, EXAMPLE),
)
async def take_events(request: Request, intake: Annotated[Intake, Depends(_intake)]) -> Response:
    """Takes up to 500 browsing events; the answer comes when Kafka has them.

    Each event is checked for itself: `rejected` says which were not taken and why, the others are. Where none
    was, the answer is 422, with `rejected`. To be able to send a batch again, give each event its `event_id`:
    the same id counts once.
    """
    if not calls_itself_json(request.headers):
        raise NotJson(request.headers.get("Content-Type", ""))
    events = _events(await read_body(request, BODY_LIMIT))
    taken = await intake.take(events, request.headers.get("traceparent"))
    if not taken["accepted"]:
        raise NoEventTaken(taken["rejected"])
    return Response(orjson.dumps(taken), 202, {"Cache-Control": "no-store"}, JSON)


def _events(body: bytes) -> list[Any]:
    """The list of `events` in a body.

    Raises:
        BadBody: there is none.
    """
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadBody(f'The body is not JSON ({error}). Send {{"events": [...]}}.') from error
    events = sent.get("events") if isinstance(sent, dict) else None
    if not isinstance(events, list) or set(sent) != {"events"}:
        raise BadBody('The body is not {"events": [...]} and nothing else. See /docs for an example.')
    if not 1 <= len(events) <= MOST_EVENTS:
        raise BadBody(f"There are {len(events)} events; send 1 to {MOST_EVENTS} at a time.")
    return events
