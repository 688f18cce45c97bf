"""The route `/v1/shoppers/{shopper_id}/points`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id
from producers.http.endpoint import json_response, transactions
from producers.loyalty import store
from producers.loyalty.policy import POLICIES
from producers.loyalty.problems import NoPoints
from producers.loyalty.schemas import PointsShown

NAME = "loyalty"

router = APIRouter(prefix="/v1/shoppers", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/{shopper_id}/points", response_model=PointsShown)
async def show(request: Request, shopper_id: Id) -> Response:
    """Return all points of a shopper."""
    async with transactions(request, NAME).connection() as sql:
        points = await store.find_points(sql, shopper_id)
    if points is None:
        raise NoPoints(shopper_id)
    return json_response(PointsShown(shopper_id=shopper_id, points=points))
