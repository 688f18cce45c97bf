"""What other processes of the platform ask: whether the messages of all rules are sent."""

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from producers.alerts import message_store
from producers.alerts.policy import POLICIES
from producers.alerts.schemas import NAME, MessagesSummaryResponse
from producers.http.endpoint import json_response, transactions

SUMMARY_PERIOD = timedelta(days=1)

router = APIRouter(prefix="/v1/alert_messages", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/summary", response_model=MessagesSummaryResponse)
async def summarise_messages(request: Request) -> Response:
    """How many messages wait, and of the last day, how many were sent, failed or skipped."""
    now = transactions(request, NAME).clock()
    async with transactions(request, NAME).connection() as sql:
        found = await message_store.summarise_messages(sql, now - SUMMARY_PERIOD)
    return json_response({"statuses": found})
