"""The demo: one real session in a role by one request, as long as no real person is registered."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import new_id
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.problems import require
from producers.kit.http.routes import PLATFORM, JsonBody, ServiceRoute
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.users import store
from producers.services.users.context import NAME, PLATFORM_WITH_SECRET, client_of, context_of
from producers.services.users.model import ChosenRole
from producers.services.users.problems import DEMO_UNAVAILABLE, SELLER_MISSING
from producers.services.users.pseudonyms import insert_person
from producers.services.users.schemas import DemoResponse, DemoSessionRequest, TokensResponse
from producers.services.users.sessions import end_sessions, open_session

router = APIRouter(prefix="/v1/auth", route_class=ServiceRoute)


@router.get("/demo", response_model=DemoResponse)
@policy(PLATFORM)
async def show_demo(request: Request) -> Response:
    """Whether a demo session can be opened: the demo is enabled, and no real person is registered."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"available": await is_demo_available(sql)})


@router.put("/demo", response_model=DemoResponse)
@policy(PLATFORM)
async def enable_demo_mode(request: Request) -> Response:
    """Enable the demo. It stays unavailable where a real person is registered. The body is ignored."""
    async with transactions(request, NAME).begin(Trace("")) as tx:
        await _enable_demo(tx)
        return json_response({"available": await is_demo_available(tx.sql)})


@router.post("/demo_sessions", status_code=201, response_model=TokensResponse)
@policy(PLATFORM_WITH_SECRET)
async def create_demo_session(request: Request, body: Annotated[DemoSessionRequest, JsonBody()]) -> Response:
    """Open a session of a demo person, who is made if they do not exist yet."""
    if body.role == "seller" and body.seller_id is None:
        raise SELLER_MISSING()
    seller_id = body.seller_id if body.role == "seller" else None
    role: ChosenRole = "shopper" if body.role == "seller" else body.role
    email = demo_email(body.role, body.shopper_id, seller_id)
    running, context = transactions(request, NAME), context_of(request)
    client = client_of(request, body.device)
    async with running.begin(Trace("")) as tx:
        require(await _lock_demo(tx), DEMO_UNAVAILABLE())
        user_id = await store.find_person_by_email(tx.sql, email)
        person = await store.lock_person(tx, user_id) if user_id else None
        if person is None:
            name = body.role if seller_id is None else f"{body.role} {seller_id}"
            shopper_id = body.shopper_id or new_id()
            inserted = await insert_person(
                tx, context.pseudonyms, shopper_id, email, name[:100], role=role, is_demo=True
            )
            person = require(inserted, DEMO_UNAVAILABLE())
            if seller_id is not None:
                await _insert_membership(tx, person.user_id, seller_id)
        return json_response(await open_session(tx, running.clock, context, person, client), 201)


def demo_email(role: str, shopper_id: str | None, seller_id: str | None) -> str:
    """Return what a demo person has instead of an e-mail address. Nothing can be sent to it (RFC 2606)."""
    who = "\0".join((shopper_id or "", seller_id or ""))
    return f"{role}.{hashlib.sha256(who.encode()).hexdigest()[:16]}@demo.invalid"


async def end_demo(tx: Transaction) -> None:
    """Disable the demo, because a real person is registered now.

    The sessions of its people and what they made end, and their access tokens are revoked.
    """
    await _lock_demo(tx)
    await _disable_demo(tx)
    await _end_rights(tx)
    for user_id in await _find_people(tx):
        await store.lock_person(tx, user_id)
        await end_sessions(tx, user_id, tx.now)


async def _lock_demo(tx: Transaction) -> bool:
    """Lock the demo, and return whether it is available.

    A demo session and the first real person wait for each other, so that the session does not begin beside
    the person.
    """
    await _lock_row(tx)
    return await is_demo_available(tx.sql)


@statement("SELECT enabled FROM demo FOR UPDATE")
async def _lock_row(tx: Transaction) -> None:
    """Lock the row of the demo."""


@statement("SELECT enabled AND NOT EXISTS (SELECT FROM people WHERE NOT is_demo) FROM demo")
async def is_demo_available(sql: Any) -> bool:
    """Return whether the demo is enabled and no real person is registered."""


@statement("UPDATE demo SET enabled = true")
async def _enable_demo(tx: Transaction) -> None:
    """Enable the demo."""


@statement("UPDATE demo SET enabled = false")
async def _disable_demo(tx: Transaction) -> None:
    """Disable the demo."""


@statement("""
    SELECT DISTINCT user_id FROM people JOIN sessions USING (user_id) WHERE is_demo AND ended_at IS NULL
    ORDER BY user_id
""")
async def _find_people(tx: Transaction) -> list[str]:
    """Return the people of the demo who have a session."""


@statement("UPDATE people SET rights_since = $tx.now::timestamptz WHERE is_demo")
async def _end_rights(tx: Transaction) -> None:
    """Let nothing that people of the demo made work again, also if the demo is enabled once more."""


@statement("INSERT INTO demo_memberships (user_id, seller_id) VALUES ($user_id::uuid, $seller_id::text)")
async def _insert_membership(tx: Transaction, user_id: str, seller_id: str) -> None:
    """Make a new demo person the owner of a seller."""
