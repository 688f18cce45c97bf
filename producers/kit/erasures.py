"""What the services are asked when a person is erased: to delete all that they have of the person.

Users asks in the transaction that deletes the person (`producers/kit/requests`). The erasure is done when
every service has answered. Each has a route `/v1/erasures/{service}`, harmless if it is repeated.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from common.guarded_route import policy
from producers.kit.http.endpoint import transaction
from producers.kit.http.routes import PLATFORM, JsonBody, ServiceRoute
from producers.kit.http.strict_request import StrictRequest
from producers.kit.outbox.transaction import Transaction

ASKED: list[str] = []
"""The services, besides users, that store ids or e-mail addresses of people: those with `erasure_router`."""


class Erasure(StrictRequest):
    """The account that was erased, and its e-mail address."""

    user_id: Annotated[UUID, Field(strict=False)]
    email: str


def erasure_router(service: str, forget: Callable[[Transaction, Erasure], Awaitable[None]]) -> APIRouter:
    """Return the route by which a service is asked to forget a person, which `forget` does."""
    ASKED.append(service)
    router = APIRouter(prefix="/v1/erasures", route_class=ServiceRoute)

    @router.post(f"/{service}", status_code=204)
    @policy(PLATFORM)
    async def forget_person(request: Request, body: Annotated[Erasure, JsonBody()]) -> None:
        """Delete what there is of a person who was erased."""
        async with transaction(request, service, "") as tx:
            await forget(tx, body)

    return router


def ask_to_forget(tx: Transaction, user_id: str, email: str) -> None:
    """Ask every service, once this transaction has committed, to forget a person.

    `email` is empty if it is no longer known.
    """
    for service in ASKED:
        tx.request(service, f"/v1/erasures/{service}", {"user_id": user_id, "email": email})
