"""`/v1/sellers/{seller_id}/views`: choices of the metrics page under a name, and their table."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from producers.kit.http.endpoint import context, json_response, transaction, transactions
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.alerts.context import AlertsContext, check_metric, require_seller
from producers.services.alerts.model import MAX_VIEWS, READ, WRITE
from producers.services.alerts.problems import TOO_MANY, UNKNOWN_THING
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
        return json_response({"views": await _find_views(sql, seller_id)})


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
        choices = body.choices.model_dump(by_alias=True, exclude_none=True)
        saved = await _save_view(tx, new_id(), seller_id, body.name, choices, MAX_VIEWS)
    return json_response(require(saved, TOO_MANY(what="saved views", limit=MAX_VIEWS)), 201)


@router.delete("/{view_id}", summary="Delete a view", status_code=204)
@policy(WRITE)
async def delete_view(request: Request, seller_id: SellerPath, view_id: ViewId) -> None:
    """Delete a view."""
    async with transaction(request, NAME, seller_id) as tx:
        require(await _delete_view(tx, seller_id, view_id), UNKNOWN_THING(what="view", path=PATH))


@statement("""
    SELECT view_id, name, choices, created_at FROM views
        WHERE seller_id = $seller_id::text ORDER BY lower(name), name
""")
async def _find_views(sql: Any, seller_id: str) -> list[ViewResponse]:
    """Return the views of a seller, by name."""


@statement("""
    INSERT INTO views (view_id, seller_id, name, choices, created_at)
    SELECT $view_id::uuid, $seller_id::text, $name::text, $choices::jsonb, $tx.now::timestamptz
    WHERE (SELECT count(*) FROM views WHERE seller_id = $seller_id AND name <> $name) < $limit::integer
    ON CONFLICT (seller_id, name) DO UPDATE SET choices = excluded.choices
    RETURNING view_id, name, choices, created_at
""")
async def _save_view(
    tx: Transaction, view_id: str, seller_id: str, name: str, choices: Mapping[str, Any], limit: int
) -> ViewResponse | None:
    """Save a view of a locked seller, in place of one with its name; return None if it has `limit` others."""


@statement("DELETE FROM views WHERE seller_id = $seller_id::text AND view_id = $view_id::uuid RETURNING true")
async def _delete_view(tx: Transaction, seller_id: str, view_id: str) -> bool:
    """Delete a view of a seller; return False if it has no such view."""
