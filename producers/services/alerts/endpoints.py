"""All endpoints of alerts; and what other processes ask: the state of messages, what a person gets."""

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid
from producers.kit.erasures import erasure_router
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.routes import PLATFORM, ServiceRoute
from producers.services.alerts import message_store, report_endpoints, rule_endpoints, store, views
from producers.services.alerts.schemas import NAME, MessagesSummaryResponse, SubscriptionsResponse

SUMMARY_PERIOD = timedelta(days=1)

platform = APIRouter(prefix="/v1", route_class=ServiceRoute)


@platform.get("/alert_messages/summary", response_model=MessagesSummaryResponse)
@policy(PLATFORM)
async def summarise_messages(request: Request) -> Response:
    """How many messages wait, and of the last day, how many were sent, failed or skipped."""
    now = transactions(request, NAME).clock()
    async with transactions(request, NAME).connection() as sql:
        found = await message_store.summarise_messages(sql, now - SUMMARY_PERIOD)
    return json_response({"statuses": found})


@platform.get("/alert_subscriptions/{user_id}", response_model=SubscriptionsResponse)
@policy(PLATFORM)
async def list_subscriptions(request: Request, user_id: Uuid) -> Response:
    """The alerts and reports whose mails go to a person, the oldest first."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"subscriptions": await message_store.find_subscriptions(sql, user_id)})


router = APIRouter()
for each in (
    rule_endpoints.router,
    report_endpoints.router,
    views.router,
    platform,
    erasure_router(NAME, store.forget_person),
):
    router.include_router(each)
