"""`/v1/sellers/{seller_id}/alerts`: the rules of a seller, and the messages that they made."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid, new_id
from common.openapi import openapi_problem
from producers.kit.encryption import seal
from producers.kit.http.endpoint import context, json_response, transaction, transactions
from producers.kit.http.guard import principal_of
from producers.kit.http.problems import require
from producers.kit.http.public_hosts import UrlRefused
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import narrowed
from producers.services.alerts import message_store, store
from producers.services.alerts.context import AlertsContext, check_metric, find_mail_target, require_seller
from producers.services.alerts.model import MAX_RULES, READ, WRITE, WRITE_WITH_SECRET
from producers.services.alerts.problems import (
    BAD_WEBHOOK,
    CHANGED_MEANWHILE,
    NO_RECIPIENT,
    RULE_PAUSED,
    TESTED_JUST_NOW,
    TOO_MANY,
    UNKNOWN_THING,
)
from producers.services.alerts.schemas import (
    NAME,
    AlertRuleResponse,
    AlertRulesResponse,
    EmailTarget,
    MessagesResponse,
    NewRuleResponse,
    RuleChange,
    RuleRequest,
    UnchangedTarget,
    WebhookTarget,
)
from producers.services.alerts.store import Rule
from producers.services.alerts.texts import test_text
from producers.services.alerts.webhooks import new_webhook_secret

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
    return json_response({"rules": [narrowed(AlertRuleResponse, rule) for rule in rules]})


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
    rule_id, secret = new_id(), _new_secret(body)
    row = _content(body, alerts.timezone) | await _new_target(alerts, seller_id, rule_id, body, secret)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        row |= {"rule_id": rule_id, "seller_id": seller_id, "maker": principal_of(request).subject}
        row |= dict.fromkeys(("created_at", "evaluate_at", "evaluated_until"), tx.now)
        created = await store.create_rule(tx, row, MAX_RULES)
    created = require(created, TOO_MANY(what="alerts", limit=MAX_RULES))
    return json_response(narrowed(NewRuleResponse, created, webhook_secret=secret), 201)


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
    secret, target = _new_secret(body), None
    if not isinstance(body.target, UnchangedTarget):
        target = await _new_target(alerts, seller_id, rule_id, body, secret)
    async with transaction(request, NAME, seller_id) as tx:
        await require_seller(tx, seller_id)
        rule = await _lock(tx, seller_id, rule_id)
        if body.version is not None and body.version != rule.version:
            raise CHANGED_MEANWHILE(path=PATH, expected=body.version, current=rule.version)
        target = target or _same_target(rule)
        await message_store.close_alert(tx, rule, "The rule was changed.")
        await message_store.skip_every_waiting(tx, rule_id)
        row = _content(body, alerts.timezone) | target | {"maker": principal_of(request).subject}
        changed = await store.change_rule(tx, rule_id, row)
    return json_response(narrowed(NewRuleResponse, changed, webhook_secret=secret))


@router.delete("/{rule_id}", summary="Delete an alert", status_code=204)
@policy(WRITE)
async def delete_alert_rule(request: Request, seller_id: SellerPath, rule_id: RuleId) -> None:
    """Delete a rule and its messages."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        await message_store.close_alert(tx, rule, "The rule was deleted.")
        await store.delete_rule(tx, rule_id)


@router.post("/{rule_id}/pause", summary="Pause an alert", response_model=AlertRuleResponse)
@policy(WRITE)
async def pause_alert_rule(request: Request, seller_id: SellerPath, rule_id: RuleId) -> Response:
    """Stop a rule until it is resumed. An open alert is resolved, without a message."""
    async with transaction(request, NAME, seller_id) as tx:
        rule = await _lock(tx, seller_id, rule_id)
        if rule.is_enabled:
            await message_store.close_alert(tx, rule, "The rule was paused.")
            await store.pause_rule(tx, rule_id, None)
        return json_response(narrowed(AlertRuleResponse, await _lock(tx, seller_id, rule_id)))


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
        if rule.target.kind == "email" and rule.person_id is None:
            raise NO_RECIPIENT()
        if not rule.is_enabled:
            await store.resume_rule(tx, rule_id, principal_of(request).subject)
        return json_response(narrowed(AlertRuleResponse, await _lock(tx, seller_id, rule_id)))


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
        require(rule.is_enabled, RULE_PAUSED())
        if await message_store.was_tested_since(tx, rule_id, tx.now - TEST_DISTANCE):
            raise TESTED_JUST_NOW()
        await message_store.add_message(tx, rule, None, "test", test_text(rule, tx.now, alerts.site), tx.now)
    return json_response(narrowed(AlertRuleResponse, rule), 202)


async def _lock(tx: Transaction, seller_id: str, rule_id: str) -> Rule:
    return require(await store.lock_rule(tx, seller_id, rule_id), UNKNOWN_THING(what="rule", path=PATH))


async def _check(alerts: AlertsContext, body: RuleRequest) -> None:
    """Check what a rule names outside the database: its metric, and the URL of its webhook.

    Raises: as `check_metric`, and
        BAD_WEBHOOK: nothing may be sent to the URL.
    """
    await check_metric(alerts.figures, body.metric, body.product_id)
    if isinstance(body.target, WebhookTarget):
        try:
            await alerts.sender.check(body.target.url)
        except UrlRefused as refused:
            raise BAD_WEBHOOK(refused=refused) from refused


def _new_secret(body: RuleRequest) -> str | None:
    """Return a secret if a request names a new webhook; else None."""
    return new_webhook_secret() if isinstance(body.target, WebhookTarget) else None


async def _new_target(
    alerts: AlertsContext, seller_id: str, rule_id: str, body: RuleRequest, secret: str | None
) -> dict[str, Any]:
    """Return the columns of a new target. `secret` is that of a webhook, which is encrypted.

    Raises: as `find_mail_target`.
    """
    columns: dict[str, Any] = {"target": body.target.kind}
    if isinstance(body.target, EmailTarget):
        return columns | await find_mail_target(alerts.peers, body.target.address, seller_id)
    if isinstance(body.target, WebhookTarget) and secret is not None:
        sealed = seal(alerts.secret_key, secret.encode(), rule_id)
        return columns | {"url": body.target.url, "sealed_secret": _bytea(sealed)}
    return columns


def _same_target(rule: Rule) -> dict[str, Any]:
    """Return the columns of a target that stays as it is.

    Raises:
        NO_RECIPIENT: the person who got the mails has left.
    """
    if rule.target.kind == "email" and rule.person_id is None:
        raise NO_RECIPIENT()
    return {
        "target": rule.target.kind,
        "person_id": rule.person_id,
        "address_hint": rule.target.address_hint,
        "url": rule.url,
        "sealed_secret": None if rule.sealed_secret is None else _bytea(rule.sealed_secret),
    }


def _bytea(content: bytes) -> str:
    return f"\\x{content.hex()}"


def _content(body: RuleRequest, timezone: str) -> dict[str, Any]:
    """Return the columns of a rule that a person chooses, without those of its target."""
    quiet = body.quiet_hours
    return {
        **body.model_dump(exclude={"window", "quiet_hours", "target", "version"}),
        "window_length": body.window,
        "quiet_start": None if quiet is None else quiet.start,
        "quiet_end": None if quiet is None else quiet.end,
        "timezone": body.timezone or timezone,
    }
