"""`/v1/me/followed_sellers`: the sellers that a person follows."""

from collections.abc import Sequence
from dataclasses import asdict

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id
from producers.http.endpoint import json_response, transactions
from producers.users.followed_sellers import follow, unfollow
from producers.users.followed_store import FollowedSeller, find_followed
from producers.users.policy import POLICIES
from producers.users.requests import NAME, person_of
from producers.users.schemas import FollowedSellersResponse

router = APIRouter(prefix="/v1/me/followed_sellers", route_class=guarded(POLICIES))


@router.get("", response_model=FollowedSellersResponse)
async def list_my_followed_sellers(request: Request) -> Response:
    """The sellers that the person follows, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        return _response(await find_followed(sql, person_of(request)))


@router.put("/{seller_id}", response_model=FollowedSellersResponse)
async def follow_seller(request: Request, seller_id: Id) -> Response:
    """Follow a seller."""
    return _response(await follow(transactions(request, NAME), person_of(request), seller_id))


@router.delete("/{seller_id}", response_model=FollowedSellersResponse)
async def unfollow_seller(request: Request, seller_id: Id) -> Response:
    """Follow a seller no more."""
    return _response(await unfollow(transactions(request, NAME), person_of(request), seller_id))


def _response(followed: Sequence[FollowedSeller]) -> Response:
    return json_response({"sellers": [asdict(seller) for seller in followed]})
