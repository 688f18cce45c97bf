"""The route `/v1/shoppers/{shopper_id}/points`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Id
from common.problems import problem
from producers.kit.http.endpoint import json_response, transactions
from producers.kit.http.routes import ServiceRoute
from producers.services.loyalty import store
from producers.services.loyalty.model import Points

NAME = "loyalty"

NO_POINTS = problem(
    404,
    "no-points",
    "No points",
    "Shopper {shopper_id!r} has earned nothing yet. A paid order earns points.",
)

router = APIRouter(prefix="/v1/shoppers", route_class=ServiceRoute)


@router.get("/{shopper_id}/points", response_model=Points)
@policy(allow("platform", traffic="read"))
async def show(request: Request, shopper_id: Id) -> Response:
    """Return all points of a shopper."""
    async with transactions(request, NAME).connection() as sql:
        points = await store.find_points(sql, shopper_id)
    if points is None:
        raise NO_POINTS(shopper_id=shopper_id)
    return json_response(points)
