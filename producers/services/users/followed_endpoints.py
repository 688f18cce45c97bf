"""`/v1/me/followed_sellers`: the sellers that a person follows."""

from collections.abc import Sequence
from dataclasses import asdict

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.openapi import NOT_FOUND, openapi_problem
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.routes import PublicRoute, SellerPath
from producers.services.users.followed_sellers import follow, unfollow
from producers.services.users.followed_store import FollowedSeller, find_followed
from producers.services.users.policy import READ_OWN, WRITE_OWN
from producers.services.users.requests import NAME, person_of
from producers.services.users.schemas import FollowedSellersResponse

router = APIRouter(
    prefix="/v1/me/followed_sellers", tags=["identity"], route_class=PublicRoute, responses=NOT_FOUND
)


@router.get("", summary="The sellers that you follow", response_model=FollowedSellersResponse)
@policy(READ_OWN)
async def my_followed_sellers(request: Request) -> Response:
    """Return the sellers that you follow, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        return _response(await find_followed(sql, person_of(request)))


@router.put(
    "/{seller_id}",
    summary="Follow a seller",
    response_model=FollowedSellersResponse,
    responses=openapi_problem(409, "You follow as many sellers as you may follow."),
)
@policy(WRITE_OWN)
async def follow_seller(request: Request, seller_id: SellerPath) -> Response:
    """Follow a seller: the shop shows you what they list. Return all that you follow."""
    return _response(await follow(transactions(request, NAME), person_of(request), seller_id))


@router.delete("/{seller_id}", summary="Unfollow a seller", response_model=FollowedSellersResponse)
@policy(WRITE_OWN)
async def unfollow_seller(request: Request, seller_id: SellerPath) -> Response:
    """Follow a seller no more. Return those that you still follow."""
    return _response(await unfollow(transactions(request, NAME), person_of(request), seller_id))


def _response(followed: Sequence[FollowedSeller]) -> Response:
    return json_response({"sellers": [asdict(seller) for seller in followed]})
