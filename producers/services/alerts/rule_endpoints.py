"""`/v1/sellers/{seller_id}/alerts`: the rules of a seller, and the messages that they made."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from producers.kit.http.endpoint import context, json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.outbox.transaction import Transaction
from producers.services.alerts import message_store, store
from producers.services.alerts.alerting import close_alert
from producers.services.alerts.checks import check_metric, require_seller
from producers.services.alerts.context import AlertsContext
from producers.services.alerts.model import MAX_RULES
from producers.services.alerts.policy import READ, WRITE, WRITE_WITH_SECRET
from producers.services.alerts.presenters import present_rule
from producers.services.alerts.problems import (
    BadWebhook,
    ChangedMeanwhile,
    NoRecipient,
    RulePaused,
    TestedJustNow,
    TooMany,
    UnknownThing,
)
from producers.services.alerts.rule_columns import content, new_secret, new_target, same_target
from producers.services.alerts.rules import Rule
from producers.services.alerts.schemas import (
    NAME,
    AlertRuleResponse,
    AlertRulesResponse,
    MessagesResponse,
    NewRuleResponse,
    RuleChange,
    RuleRequest,
    UnchangedTarget,
    WebhookTarget,
)
from producers.services.alerts.texts import test_text
from producers.services.alerts.webhook_address import WebhookRefused

PATH = "/v1/sellers/{seller_id}/alerts"
PAGE_MESSAGES = 50
TEST_DISTANCE = timedelta(minutes=1)

EXAMPLE_RULE = {
    "name": "Few orders",
    "metric": "orders",
    "condition": {"kind": "usual", "direction": "below", "minimum": 5},
    "fires_after": 2,
    "quiet_hours": {"start": "22:00", "end": "07:00"},
    "target": {"kind": "email", "address": "ana@lamps.example"},
}
EXAMPLE_CHANGE = {**EXAMPLE_RULE, "fires_after": 3, "target": {"kind": "unchanged"}, "version": 1}

RuleId = Annotated[Uuid, Path(description="The rule's id.")]

router = APIRouter(prefix=PATH, tags=[NAME], route_class=PublicRoute)


@router.get("", summary="The alerts of a seller", response_model=AlertRulesResponse)
@policy(READ)
async def alert_rules(request: Request, seller_id: SellerPath) -> Response:
    """Return the rules of a seller, with their state and the value that was looked at last."""
    async with transactions(request, NAME).connection() as sql:
        rules = await store.find_rules(sql, seller_id)
    return json_response({"rules": [present_rule(rule) for rule in rules]})


@router.get("/messages", summary="The messages of a seller's alerts", response_model=MessagesResponse)
@policy(READ)
async def alert_messages(
    request: Request,
    seller_id: SellerPath,
    before: Annotated[Uuid | None, Query(description="`next_before` of the previous page.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE_MESSAGES,
) -> Response:
    """Return the messages of the last 90 days, the newest first: sent, waiting, failed and skipped ones."""
    async with transactions(request, NAME).connection() as sql:
        found = await message_store.find_messages(sql, seller_id, before, limit + 1)
    messages = found[:limit]
    next_before = messages[-1]["message_id"] if len(found) > limit else None
    return json_response({"messages": messages, "next_before": next_before})


@router.post(
    "",
    summary="Create an alert",
    status_code=201,
    response_model=NewRuleResponse,
    responses=openapi_problem(409, f"A seller may have {MAX_RULES} rules."),
)
@policy(WRITE_WITH_SECRET)
async def create_alert_rule(
    request: Request, seller_id: SellerPath, body: Annotated[RuleRequest, JsonBody(EXAMPLE_RULE)]
) -> Response:
    """Create a rule about a metric. It is evaluated for each hour, day or week whose figures are complete.

    A mail goes to a person of the staff who may see figures. A webhook goes to an https URL of the public
    internet, signed as Standard Webhooks describes; `webhook_secret` is in this response only.
    """
    alerts: AlertsContext = context(request, NAME)
    await _check(alerts, body)
    rule_id, secret = new_id(), new_secret(body)
    row = content(body, alerts.timezone) | await new_target(alerts, seller_id, rule_id, body, secret)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        now = tx.now.isoformat()
        row |= {"rule_id": rule_id, "seller_id": seller_id, "maker": principal_of(request).subject}
        row |= {"created_at": now, "evaluate_at": now, "evaluated_until": now}
        created = await store.create_rule(tx, row, MAX_RULES)
    if created is None:
        raise TooMany("alerts", MAX_RULES)
    return json_response({**present_rule(created), "webhook_secret": secret}, 201)


@router.put(
    "/{rule_id}",
    summary="Change an alert",
    response_model=NewRuleResponse,
    responses=openapi_problem(
        409, "The rule was changed meanwhile, or the person who got the mails has left."
    ),
)
@policy(WRITE_WITH_SECRET)
async def change_alert_rule(
    request: Request,
    seller_id: SellerPath,
    rule_id: RuleId,
    body: Annotated[RuleChange, JsonBody(EXAMPLE_CHANGE)],
) -> Response:
    """Replace the content of a rule, which starts anew: what ends from now on is evaluated.

    An open alert is resolved without a message, and no message of the old content is sent any more. A paused
    rule stays paused. With the target `unchanged`, messages go where they go now; the secret of a new webhook
    is in this response only. With `version`, the change is refused if it has another version now.
    """
    alerts: AlertsContext = context(request, NAME)
    await _check(alerts, body)
    secret, target = new_secret(body), None
    if not isinstance(body.target, UnchangedTarget):
        target = await new_target(alerts, seller_id, rule_id, body, secret)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        rule = await _lock(tx, seller_id, rule_id)
        if body.version is not None and body.version != rule.version:
            raise ChangedMeanwhile(PATH, body.version, rule.version)
        target = target or same_target(rule.target)
        await close_alert(tx, rule, "The rule was changed.")
        await message_store.skip_every_waiting(tx, rule_id)
        row = content(body, alerts.timezone) | target | {"maker": principal_of(request).subject}
        changed = await store.change_rule(tx, rule_id, row)
    return json_response({**present_rule(changed), "webhook_secret": secret})


@router.delete("/{rule_id}", summary="Delete an alert", status_code=204)
@policy(WRITE)
async def delete_alert_rule(request: Request, seller_id: SellerPath, rule_id: RuleId) -> Response:
    """Delete a rule and its messages."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        await close_alert(tx, rule, "The rule was deleted.")
        await store.delete_rule(tx, rule_id)
    return Response(status_code=204)


@router.post("/{rule_id}/pause", summary="Pause an alert", response_model=AlertRuleResponse)
@policy(WRITE)
async def pause_alert_rule(request: Request, seller_id: SellerPath, rule_id: RuleId) -> Response:
    """Stop a rule until it is resumed. An open alert is resolved, without a message."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        if rule.is_enabled:
            await close_alert(tx, rule, "The rule was paused.")
            await store.pause_rule(tx, rule_id, None)
        return json_response(present_rule(await _lock(tx, seller_id, rule_id)))


@router.delete(
    "/{rule_id}/pause",
    summary="Resume an alert",
    response_model=AlertRuleResponse,
    responses=openapi_problem(409, "The person who got the mails has left."),
)
@policy(WRITE)
async def resume_alert_rule(request: Request, seller_id: SellerPath, rule_id: RuleId) -> Response:
    """Let a rule go on, with what ends from now on. Also a rule that was disabled because messages failed."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        if rule.target.kind == "email" and rule.target.person_id is None:
            raise NoRecipient
        if not rule.is_enabled:
            await store.resume_rule(tx, rule_id, principal_of(request).subject)
        return json_response(present_rule(await _lock(tx, seller_id, rule_id)))


@router.post(
    "/{rule_id}/tests",
    summary="Test an alert",
    status_code=202,
    response_model=AlertRuleResponse,
    responses=openapi_problem(409, "The rule is paused.")
    | openapi_problem(429, "A test was sent less than a minute ago, or there are too many requests."),
)
@policy(WRITE)
async def test_alert_rule(request: Request, seller_id: SellerPath, rule_id: RuleId) -> Response:
    """Send a test message to the target of a rule, also in its quiet hours; at most once a minute."""
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


async def _check(alerts: AlertsContext, body: RuleRequest) -> None:
    """Check what a rule names outside the database: its metric, and the URL of its webhook.

    Raises: as `check_metric`, and
        BadWebhook: nothing may be sent to the URL.
    """
    await check_metric(alerts.figures, body.metric, body.product_id)
    if isinstance(body.target, WebhookTarget):
        try:
            await alerts.sender.check(body.target.url)
        except WebhookRefused as refused:
            raise BadWebhook(refused) from refused
