"""`/v1/commission_rules` and `/v1/sellers/{seller_id}/commission`: what the marketplace keeps of a line."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import Id, new_id
from producers.http.endpoint import json_response, parse_body, transaction, transactions
from producers.http.guard import principal_of
from producers.sellers import store
from producers.sellers.commission import emit_rule
from producers.sellers.policy import POLICIES
from producers.sellers.presenters import present_commission, present_rule
from producers.sellers.problems import PastTime, UnknownSeller
from producers.sellers.schemas import (
    NAME,
    PAGE,
    RULE_REQUEST,
    CommissionResponse,
    RuleResponse,
    RulesResponse,
)
from producers.sellers.store import NewRule

router = APIRouter(prefix="/v1", tags=[NAME], route_class=guarded(POLICIES))


@router.get("/commission_rules", response_model=RulesResponse)
async def list_rules(
    request: Request, seller_id: Id | None = None, category: Id | None = None, before: int | None = None
) -> Response:
    """All commission rules, or those of a seller or a category, newest first, superseded ones too."""
    async with transactions(request, NAME).connection() as sql:
        rules = await store.find_rules(sql, PAGE, seller_id, category, before)
    next_before = rules[-1].position if len(rules) == PAGE else None
    return json_response({"rules": [present_rule(rule) for rule in rules], "next_before": next_before})


@router.post("/commission_rules", status_code=201, response_model=RuleResponse)
async def add_rule(request: Request) -> Response:
    """Add a rule, which supersedes the earlier ones of its seller, its category or the default.

    It applies to orders from `valid_from` on, which is now if it is left out.
    """
    body = await parse_body(request, RULE_REQUEST)
    async with transaction(request, NAME, body.seller_id or "commission") as tx:
        if body.valid_from is not None and body.valid_from < tx.now:
            raise PastTime("valid_from")
        rule = NewRule(
            rule_id=new_id(),
            seller_id=body.seller_id,
            category=body.category,
            rate_bp=body.rate_bp,
            minimum_minor=body.minimum_minor,
            maximum_minor=body.maximum_minor,
            currency=body.currency,
            valid_from=body.valid_from or tx.now,
            reason=body.reason,
            author=principal_of(request).subject,
        )
        added = await store.add_rule(tx, rule)
        if added is None:
            raise UnknownSeller(body.seller_id)
        emit_rule(tx, added)
    return json_response(present_rule(added), 201)


@router.get("/sellers/{seller_id}/commission", response_model=CommissionResponse)
async def show_commission(request: Request, seller_id: Id) -> Response:
    """The rates that apply to a seller now, and those that are announced."""
    running = transactions(request, NAME)
    async with running.connection() as sql:
        rules = await store.find_rules_of_seller(sql, seller_id)
    return json_response(present_commission(rules, seller_id, running.clock()))
