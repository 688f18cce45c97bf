"""`/v1/commission_rules` and `/v1/sellers/{seller_id}/commission`: what the marketplace keeps of a line."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import PRINTABLE, Id, new_id
from common.openapi import NOT_FOUND
from producers.kit.http.endpoint import json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.postgres.statements import narrowed
from producers.services.sellers import store
from producers.services.sellers.commission import (
    CommissionResponse,
    CommissionRuleResponse,
    commission_of,
    emit_rule,
)
from producers.services.sellers.model import ADMIN_READ, ADMIN_WRITE, SELLER
from producers.services.sellers.problems import PAST_TIME, UNKNOWN_SELLER
from producers.services.sellers.schemas import NAME, PAGE, CommissionRulesResponse, RuleRequest

EXAMPLE_RULE = {"category": "lamps", "rate_bp": 1200, "reason": "Lamps sell themselves."}

Category = Annotated[str | None, Query(min_length=1, max_length=128, pattern=PRINTABLE)]

router = APIRouter(prefix="/v1", tags=["selling"], route_class=PublicRoute)


@router.get("/commission_rules", summary="All commission rules", response_model=CommissionRulesResponse)
@policy(ADMIN_READ)
async def commission_rules(
    request: Request,
    seller_id: Id | None = None,
    category: Category = None,
    before: Annotated[int | None, Query(description="`next_before` of the previous page.")] = None,
) -> Response:
    """Return commission rules, newest first, superseded ones too."""
    async with transactions(request, NAME).connection() as sql:
        rules = await store.find_rules(sql, PAGE, seller_id, category, before)
    next_before = rules[-1].position if len(rules) == PAGE else None
    shown = [narrowed(CommissionRuleResponse, rule) for rule in rules]
    return json_response({"rules": shown, "next_before": next_before})


@router.post(
    "/commission_rules",
    summary="Add a commission rule",
    status_code=201,
    response_model=CommissionRuleResponse,
    responses=NOT_FOUND,
)
@policy(ADMIN_WRITE)
async def add_commission_rule(
    request: Request, body: Annotated[RuleRequest, JsonBody(EXAMPLE_RULE)]
) -> Response:
    """Add a rule for a seller, for a category or, without both, the default.

    It supersedes the earlier rules of the same seller or category for orders from `valid_from` on. Existing
    order lines keep their rate.
    """
    async with transaction(request, NAME, body.seller_id or "commission") as tx:
        if body.valid_from is not None and body.valid_from < tx.now:
            raise PAST_TIME(field="valid_from")
        author = principal_of(request).subject
        added = require(
            await store.add_rule(tx, new_id(), body, body.valid_from or tx.now, author),
            UNKNOWN_SELLER(seller_id=body.seller_id),
        )
        emit_rule(tx, added)
    return json_response(narrowed(CommissionRuleResponse, added), 201)


@router.get(
    "/sellers/{seller_id}/commission", summary="The commission of a seller", response_model=CommissionResponse
)
@policy(allow("seller", "admin", traffic="read", seller_parameter=SELLER, scope="commission:read"))
async def commission(request: Request, seller_id: SellerPath) -> Response:
    """Return the rates that apply to a seller's sales now, and those that are announced."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        rules = await store.find_rules_of_seller(sql, seller_id)
    return json_response(commission_of(rules, seller_id, running.clock()))
