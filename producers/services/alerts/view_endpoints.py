"""`/v1/sellers/{seller_id}/views`: choices of the metrics page under a name."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from producers.kit.http.endpoint import context, json_response, transaction, transactions
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.services.alerts import view_store
from producers.services.alerts.checks import check_metric, require_seller
from producers.services.alerts.context import AlertsContext
from producers.services.alerts.model import MAX_VIEWS
from producers.services.alerts.policy import READ, WRITE
from producers.services.alerts.problems import TooMany, UnknownThing
from producers.services.alerts.schemas import NAME, ViewRequest, ViewResponse, ViewsResponse

PATH = "/v1/sellers/{seller_id}/views"

EXAMPLE_VIEW = {"name": "Returns by product", "choices": {"metric": "returns", "by": "product"}}

ViewId = Annotated[Uuid, Path(description="The view's id.")]

router = APIRouter(prefix=PATH, tags=[NAME], route_class=PublicRoute)


@router.get("", summary="The saved views of a seller", response_model=ViewsResponse)
@policy(READ)
async def views(request: Request, seller_id: SellerPath) -> Response:
    """Return the choices of the metrics page that were saved under a name, for all of the staff."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"views": await view_store.find_views(sql, seller_id)})


@router.post(
    "",
    summary="Save a view",
    status_code=201,
    response_model=ViewResponse,
    responses=openapi_problem(409, f"A seller may have {MAX_VIEWS} views."),
)
@policy(WRITE)
async def save_view(
    request: Request, seller_id: SellerPath, body: Annotated[ViewRequest, JsonBody(EXAMPLE_VIEW)]
) -> Response:
    """Save choices of the metrics page under a name. A view with the same name gets these choices."""
    alerts: AlertsContext = context(request, NAME)
    await check_metric(alerts.figures, body.choices.metric)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        saved = await view_store.save_view(tx, new_id(), seller_id, body.name, body.choices, MAX_VIEWS)
    if saved is None:
        raise TooMany("saved views", MAX_VIEWS)
    return json_response(saved, 201)


@router.delete("/{view_id}", summary="Delete a view", status_code=204)
@policy(WRITE)
async def delete_view(request: Request, seller_id: SellerPath, view_id: ViewId) -> Response:
    """Delete a view."""
    async with transaction(request, NAME, seller_id) as tx:
        if not await view_store.delete_view(tx, seller_id, view_id):
            raise UnknownThing("view", PATH)
    return Response(status_code=204)
