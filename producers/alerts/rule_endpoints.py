"""`/v1/sellers/{seller_id}/alerts`: the rules of a seller, and the messages that they made."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from common.guarded_route import guarded
from common.ids import new_id
from producers.alerts import message_store, store
from producers.alerts.alerting import close_alert
from producers.alerts.checks import check_metric, find_mail_target, require_seller
from producers.alerts.context import AlertsContext
from producers.alerts.model import MAX_RULES
from producers.alerts.policy import POLICIES
from producers.alerts.presenters import present_rule
from producers.alerts.problems import (
    BadWebhook,
    NoRecipient,
    RulePaused,
    TestedJustNow,
    TooMany,
    UnknownThing,
)
from producers.alerts.rules import Rule
from producers.alerts.schemas import (
    NAME,
    RULE_REQUEST,
    EmailTarget,
    Id,
    MessagesResponse,
    NewRuleResponse,
    RuleRequest,
    RuleResponse,
    RulesResponse,
    Uuid,
    WebhookTarget,
)
from producers.alerts.texts import test_text
from producers.alerts.webhook_address import WebhookRefused
from producers.alerts.webhook_signature import new_webhook_secret
from producers.encryption import seal
from producers.http.endpoint import context, json_response, parse_body, transaction, transactions
from producers.outbox.transaction import Transaction

PATH = "/v1/sellers/{seller_id}/alerts"
PAGE_MESSAGES = 50
TEST_DISTANCE = timedelta(minutes=1)

router = APIRouter(prefix=PATH, tags=[NAME], route_class=guarded(POLICIES))


@router.get("", response_model=RulesResponse)
async def list_rules(request: Request, seller_id: Id) -> Response:
    """The rules of a seller, with what they have found."""
    async with transactions(request, NAME).connection() as sql:
        rules = await store.find_rules(sql, seller_id)
    return json_response({"rules": [present_rule(rule) for rule in rules]})


@router.get("/messages", response_model=MessagesResponse)
async def list_messages(
    request: Request,
    seller_id: Id,
    before: Annotated[Uuid | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE_MESSAGES,
) -> Response:
    """The messages of a seller's rules of the last 90 days, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        found = await message_store.find_messages(sql, seller_id, before, limit + 1)
    messages = found[:limit]
    next_before = messages[-1]["message_id"] if len(found) > limit else None
    return json_response({"messages": messages, "next_before": next_before})


@router.post("", status_code=201, response_model=NewRuleResponse)
async def create_rule(request: Request, seller_id: Id) -> Response:
    """Create a rule. What ends from now on is evaluated. The secret of a webhook is in this response only."""
    body: RuleRequest = await parse_body(request, RULE_REQUEST)
    alerts: AlertsContext = context(request, NAME)
    await check_metric(alerts.figures, body.metric, body.product_id)
    if isinstance(body.target, WebhookTarget):
        try:
            await alerts.sender.check(body.target.url)
        except WebhookRefused as refused:
            raise BadWebhook(refused) from refused
    secret = new_webhook_secret() if isinstance(body.target, WebhookTarget) else None
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        row = _row(tx, seller_id, body, alerts.timezone)
        if isinstance(body.target, EmailTarget):
            row |= await find_mail_target(tx, body.target.address, seller_id)
        if isinstance(body.target, WebhookTarget) and secret is not None:
            sealed = seal(alerts.secret_key, secret.encode(), row["rule_id"])
            row |= {"url": body.target.url, "sealed_secret": f"\\x{sealed.hex()}"}
        created = await store.create_rule(tx, row, MAX_RULES)
    if created is None:
        raise TooMany("alerts", MAX_RULES)
    return json_response({**present_rule(created), "webhook_secret": secret}, 201)


@router.delete("/{rule_id}", status_code=204)
async def delete_rule(request: Request, seller_id: Id, rule_id: Uuid) -> Response:
    """Delete a rule with its messages. An open alert is resolved."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        await close_alert(tx, rule, "The rule was deleted.")
        await store.delete_rule(tx, rule_id)
    return Response(status_code=204)


@router.post("/{rule_id}/pause", response_model=RuleResponse)
async def pause_rule(request: Request, seller_id: Id, rule_id: Uuid) -> Response:
    """Stop a rule. An open alert is resolved, without a message."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        if rule.is_enabled:
            await close_alert(tx, rule, "The rule was paused.")
            await store.pause_rule(tx, rule_id, None)
        return json_response(present_rule(await _lock(tx, seller_id, rule_id)))


@router.delete("/{rule_id}/pause", response_model=RuleResponse)
async def resume_rule(request: Request, seller_id: Id, rule_id: Uuid) -> Response:
    """Let a rule go on. What ended during the pause is not evaluated."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        if rule.target.kind == "email" and rule.target.person_id is None:
            raise NoRecipient
        if not rule.is_enabled:
            await store.resume_rule(tx, rule_id)
        return json_response(present_rule(await _lock(tx, seller_id, rule_id)))


@router.post("/{rule_id}/tests", status_code=202, response_model=RuleResponse)
async def test_rule(request: Request, seller_id: Id, rule_id: Uuid) -> Response:
    """Send a test message to the target of a rule, also in its quiet hours; at most one a minute."""
    alerts: AlertsContext = context(request, NAME)
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        if not rule.is_enabled:
            raise RulePaused
        if await message_store.was_tested_since(tx, rule_id, tx.now - TEST_DISTANCE):
            raise TestedJustNow
        text = test_text(rule, tx.now, alerts.site)
        is_listed = rule.target.kind == "page"
        await message_store.add_message(tx, seller_id, rule_id, None, "test", text, tx.now, is_listed)
    return json_response(present_rule(rule), 202)


async def _lock(tx: Transaction, seller_id: str, rule_id: str) -> Rule:
    rule = await store.lock_rule(tx, seller_id, rule_id)
    if rule is None:
        raise UnknownThing("rule", PATH)
    return rule


def _row(tx: Transaction, seller_id: str, body: RuleRequest, timezone: str) -> dict[str, Any]:
    """Return the columns of a new rule, without those of its target."""
    now = tx.now.isoformat()
    quiet = body.quiet_hours
    return {
        "rule_id": new_id(),
        "seller_id": seller_id,
        "name": body.name,
        "created_at": now,
        "metric": body.metric,
        "product_id": body.product_id,
        "window_length": body.window,
        "condition": body.condition.model_dump(),
        "severity": body.severity,
        "fires_after": body.fires_after,
        "resolves_after": body.resolves_after,
        "distance_minutes": body.distance_minutes,
        "repeat_minutes": body.repeat_minutes,
        "quiet_start": None if quiet is None else quiet.start,
        "quiet_end": None if quiet is None else quiet.end,
        "timezone": body.timezone or timezone,
        "target": body.target.kind,
        "evaluate_at": now,
        "evaluated_until": now,
    }
