"""All endpoints of people. Here are those for other processes: keys, revocations, the mailbox."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.access_policy import allow
from common.email_address import normalized_email
from common.guarded_route import policy
from common.ids import PRINTABLE
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.routes import PLATFORM, JsonBody, PublicRoute, ServiceRoute
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction
from producers.services.users import account_endpoints, auth_endpoints, demo, followed_sellers, people, store
from producers.services.users.context import NAME
from producers.services.users.mails import Mail, MailResponse, find_mails, find_mails_of_kinds, send_mail
from producers.services.users.recommendation_mails import count_overdue_mails
from producers.services.users.schemas import (
    AuthStateResponse,
    MailOutcomeResponse,
    MailRequest,
    MailsSummaryResponse,
)
from producers.services.users.sessions import find_revocations
from producers.services.users.signing_keys import find_signing_keys, public_keys

public = APIRouter(prefix="/v1", tags=["people"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1", route_class=ServiceRoute)

MAX_POSITION = 2**63 - 1

SUMMARY_PERIOD = timedelta(days=1)
OVERDUE_AFTER = timedelta(hours=1)
"""A weekly mail that was due for so long is late."""


@internal.get("/auth/state", response_model=AuthStateResponse)
@policy(PLATFORM)
async def show_auth_state(
    request: Request, after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0
) -> Response:
    """The public keys, and the revocations since a position. `position` is that of the last revocation."""
    async with transactions(request, NAME).connection() as sql:
        keys = public_keys(await find_signing_keys(sql))
        revocations = await find_revocations(sql, after)
    position = revocations[-1]["position"] if revocations else after
    present = [
        {name: value for name, value in revoked.items() if value is not None} for revoked in revocations
    ]
    return json_response({"keys": keys, "revocations": present, "position": position})


@public.get("/mails", summary="The local mailbox", response_model=list[MailResponse])
@policy(allow("admin", "platform", traffic="operations"))
async def mails(
    request: Request,
    to: Annotated[
        str | None, Query(max_length=320, pattern=PRINTABLE, description="Only mails to this address.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Return the mails that the shop has written, the newest first. No mail leaves this machine."""
    async with transactions(request, NAME).connection() as sql:
        return json_response(await find_mails(sql, normalized_email(to) if to else None, limit))


@internal.post("/mails", response_model=MailOutcomeResponse)
@policy(PLATFORM)
async def create_mail(request: Request, body: Annotated[MailRequest, JsonBody()]) -> Response:
    """Put a mail of another service into the mailbox, once for each `mail_id`."""
    async with transactions(request, NAME).begin(Trace("")) as tx:
        return json_response({"outcome": await _send(tx, body)})


@internal.get("/mails/summary", response_model=MailsSummaryResponse)
@policy(PLATFORM)
async def summarise_mails(request: Request) -> Response:
    """How many mails of each kind the last day had, and how many weekly mails are late. Without addresses."""
    now = transactions(request, NAME).clock()
    async with transactions(request, NAME).connection() as sql:
        kinds = await find_mails_of_kinds(sql, now - SUMMARY_PERIOD)
        overdue = await count_overdue_mails(sql, now - OVERDUE_AFTER)
    return json_response({"kinds": kinds, "overdue": overdue})


async def _send(tx: Transaction, request: MailRequest) -> str:
    """Put a mail into the mailbox; return the outcome. The person is locked until it is there."""
    to, user_id = request.to, None
    if request.user_id is not None and request.seller_id is not None:
        person = await store.lock_person(tx, str(request.user_id))
        if person is None or not await store.may_see_figures(tx.sql, person.user_id, request.seller_id):
            return "left"
        to, user_id = person.email, person.user_id
    mail = Mail(request.kind, normalized_email(to or ""), request.subject, request.text)
    is_sent = await send_mail(tx, mail, user_id, str(request.mail_id))
    return "sent" if is_sent else "limited"


router = APIRouter(tags=["users"])
for part in (
    auth_endpoints.router,
    account_endpoints.router,
    followed_sellers.router,
    people.router,
    public,
    internal,
    demo.router,
):
    router.include_router(part)
