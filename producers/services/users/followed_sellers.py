"""`/v1/me/followed_sellers`: the sellers that a person follows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from typing_extensions import TypedDict

from common.guarded_route import policy
from common.openapi import NOT_FOUND, openapi_problem
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.problems import require
from producers.kit.http.routes import PublicRoute, SellerPath
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.users import store
from producers.services.users.context import NAME, READ_OWN, WRITE_OWN, person_of
from producers.services.users.model import MAX_FOLLOWED_SELLERS
from producers.services.users.problems import NOT_SELLING_NOW, TOO_MANY_FOLLOWED_SELLERS

router = APIRouter(
    prefix="/v1/me/followed_sellers", tags=["identity"], route_class=PublicRoute, responses=NOT_FOUND
)


@dataclass(frozen=True, slots=True)
class FollowedSeller:
    """A seller that a person follows."""

    seller_id: str
    followed_at: datetime


class FollowedSellersResponse(TypedDict):
    """The sellers that a person follows, the newest first."""

    sellers: list[FollowedSeller]


@router.get("", summary="The sellers that you follow", response_model=FollowedSellersResponse)
@policy(READ_OWN)
async def my_followed_sellers(request: Request) -> Response:
    """Return the sellers that you follow, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        return _present(await find_followed(sql, person_of(request)))


@router.put(
    "/{seller_id}",
    summary="Follow a seller",
    response_model=FollowedSellersResponse,
    responses=openapi_problem(409, "You follow as many sellers as you may follow."),
)
@policy(WRITE_OWN)
async def follow_seller(request: Request, seller_id: SellerPath) -> Response:
    """Follow a seller: the shop shows you what they list. Return all that you follow."""
    user_id = person_of(request)
    async with transactions(request, NAME).begin(Trace("")) as tx:
        await store.require_locked_person(tx, user_id)
        known = await find_followed(tx.sql, user_id)
        if any(seller.seller_id == seller_id for seller in known):
            return _present(known)
        require(await _is_approved(tx.sql, seller_id), NOT_SELLING_NOW(seller_id=seller_id))
        if len(known) >= MAX_FOLLOWED_SELLERS:
            raise TOO_MANY_FOLLOWED_SELLERS()
        await _follow(tx, user_id, seller_id)
        return _present(await find_followed(tx.sql, user_id))


@router.delete("/{seller_id}", summary="Unfollow a seller", response_model=FollowedSellersResponse)
@policy(WRITE_OWN)
async def unfollow_seller(request: Request, seller_id: SellerPath) -> Response:
    """Follow a seller no more. Return those that you still follow."""
    user_id = person_of(request)
    async with transactions(request, NAME).begin(Trace("")) as tx:
        await _unfollow(tx, user_id, seller_id)
        return _present(await find_followed(tx.sql, user_id))


def _present(sellers: list[FollowedSeller]) -> Response:
    return json_response(FollowedSellersResponse(sellers=sellers))


@statement("""
    SELECT seller_id, followed_at FROM followed_sellers
    WHERE user_id = $user_id::uuid
    ORDER BY followed_at DESC, seller_id
""")
async def find_followed(sql: Any, user_id: str) -> list[FollowedSeller]:
    """Return the sellers that a person follows, the newest first."""


@statement("SELECT EXISTS (SELECT FROM seller_status WHERE seller_id = $seller_id::text AND approved)")
async def _is_approved(sql: Any, seller_id: str) -> bool:
    """Return whether a seller may sell now."""


@statement("""
    INSERT INTO followed_sellers (user_id, seller_id, followed_at)
    VALUES ($user_id::uuid, $seller_id::text, $tx.now::timestamptz)
    ON CONFLICT (user_id, seller_id) DO NOTHING
""")
async def _follow(tx: Transaction, user_id: str, seller_id: str) -> None:
    """Record that a person follows a seller, unless they do already."""


@statement("DELETE FROM followed_sellers WHERE user_id = $user_id::uuid AND seller_id = $seller_id::text")
async def _unfollow(tx: Transaction, user_id: str, seller_id: str) -> None:
    """Record that a person follows a seller no more."""
