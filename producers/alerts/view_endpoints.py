"""`/v1/sellers/{seller_id}/views`: choices of the metrics page under a name."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id, new_id
from producers.alerts import view_store
from producers.alerts.checks import check_metric, require_seller
from producers.alerts.context import AlertsContext
from producers.alerts.model import MAX_VIEWS
from producers.alerts.policy import POLICIES
from producers.alerts.problems import TooMany, UnknownThing
from producers.alerts.schemas import NAME, VIEW_REQUEST, Uuid, ViewRequest, ViewResponse, ViewsResponse
from producers.http.endpoint import context, json_response, parse_body, transaction, transactions

PATH = "/v1/sellers/{seller_id}/views"

router = APIRouter(prefix=PATH, tags=[NAME], route_class=guarded(POLICIES))


@router.get("", response_model=ViewsResponse)
async def list_views(request: Request, seller_id: Id) -> Response:
    """The saved views of a seller, by name."""
    async with transactions(request, NAME).connection() as sql:
        return json_response({"views": await view_store.find_views(sql, seller_id)})


@router.post("", status_code=201, response_model=ViewResponse)
async def save_view(request: Request, seller_id: Id) -> Response:
    """Save a view for all of the staff. A view with the same name gets these choices."""
    body: ViewRequest = await parse_body(request, VIEW_REQUEST)
    alerts: AlertsContext = context(request, NAME)
    await check_metric(alerts.figures, body.choices.metric)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        saved = await view_store.save_view(tx, new_id(), seller_id, body.name, body.choices, MAX_VIEWS)
    if saved is None:
        raise TooMany("saved views", MAX_VIEWS)
    return json_response(saved, 201)


@router.delete("/{view_id}", status_code=204)
async def delete_view(request: Request, seller_id: Id, view_id: Uuid) -> Response:
    """Delete a view."""
    async with transaction(request, NAME, seller_id) as tx:
        if not await view_store.delete_view(tx, seller_id, view_id):
            raise UnknownThing("view", PATH)
    return Response(status_code=204)
