"""The routes under `/v1` about what a seller watches: alerts, scheduled reports, and saved views."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from producers.alerts import schemas
from producers.alerts.model import MAX_REPORTS, MAX_RULES, MAX_VIEWS
from serving.commerce.forwarding import (
    BODY,
    BODY_LIMIT,
    MISSING,
    UNAVAILABLE,
    UNUSABLE,
    UUID,
    CommerceDep,
    SellerPath,
)
from serving.commerce.policy import ALERTS
from serving.gateway.described_routes import guarded
from serving.kit.openapi import json_request_body, openapi_problem

EXAMPLE_RULE = {
    "name": "Few orders",
    "metric": "orders",
    "condition": {"kind": "usual", "direction": "below", "minimum": 5},
    "fires_after": 2,
    "quiet_hours": {"start": "22:00", "end": "07:00"},
    "target": {"kind": "email", "address": "ana@lamps.example"},
}
EXAMPLE_CHANGE = {**EXAMPLE_RULE, "fires_after": 3, "target": {"kind": "unchanged"}, "version": 1}
EXAMPLE_REPORT = {
    "name": "Every morning",
    "period": "day",
    "metrics": ["net_sales", "orders", "returns"],
    "address": "ana@lamps.example",
}
EXAMPLE_VIEW = {"name": "Returns by product", "choices": {"metric": "returns", "by": "product"}}

READS = UNAVAILABLE | UNUSABLE
WRITES = UNAVAILABLE | BODY | MISSING
TOO_MANY_RULES = openapi_problem(409, f"A seller may have {MAX_RULES} rules.")
TOO_MANY_REPORTS = openapi_problem(409, f"A seller may have {MAX_REPORTS} reports.")
TOO_MANY_VIEWS = openapi_problem(409, f"A seller may have {MAX_VIEWS} views.")
NO_RECIPIENT = openapi_problem(409, "The person who got the mails has left.")
CHANGED_MEANWHILE = openapi_problem(
    409, "The rule was changed meanwhile, or the person who got the mails has left."
)
PAUSED = openapi_problem(409, "The rule is paused.")
TESTED = openapi_problem(429, "A test was sent less than a minute ago, or there are too many requests.")

RuleId = Annotated[str, Path(pattern=UUID, description="The rule's id.")]
ReportId = Annotated[str, Path(pattern=UUID, description="The report's id.")]
ViewId = Annotated[str, Path(pattern=UUID, description="The view's id.")]

router = APIRouter(
    route_class=guarded(ALERTS, takes_key=True), prefix="/v1/sellers/{seller_id}", tags=["alerts"]
)


@router.get(
    "/alerts", summary="The alerts of a seller", response_model=schemas.RulesResponse, responses=READS
)
async def alert_rules(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return the rules of a seller, with their state and the value that was looked at last."""
    return await commerce.forward(request)


@router.get(
    "/alerts/messages",
    summary="The messages of a seller's alerts",
    response_model=schemas.MessagesResponse,
    responses=READS,
)
async def alert_messages(
    request: Request,
    commerce: CommerceDep,
    seller_id: SellerPath,
    before: Annotated[
        str | None, Query(pattern=UUID, description="`next_before` of the previous page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Return the messages of the last 90 days, the newest first: sent, waiting, failed and skipped ones."""
    return await commerce.forward(request)


@router.post(
    "/alerts",
    summary="Create an alert",
    status_code=201,
    response_model=schemas.NewRuleResponse,
    responses=WRITES | TOO_MANY_RULES,
    openapi_extra=json_request_body(schemas.RuleRequest, EXAMPLE_RULE),
)
async def create_alert_rule(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Create a rule about a metric. It is evaluated for each hour, day or week whose figures are complete.

    A mail goes to a person of the staff who may see figures. A webhook goes to an https URL of the public
    internet, signed as Standard Webhooks describes; `webhook_secret` is in this response only.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.put(
    "/alerts/{rule_id}",
    summary="Change an alert",
    response_model=schemas.NewRuleResponse,
    responses=WRITES | CHANGED_MEANWHILE,
    openapi_extra=json_request_body(schemas.RuleChange, EXAMPLE_CHANGE),
)
async def change_alert_rule(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, rule_id: RuleId
) -> Response:
    """Replace the content of a rule, which starts anew: what ends from now on is evaluated.

    An open alert is resolved without a message, and no message of the old content is sent any more. A paused
    rule stays paused. With the target `unchanged`, messages go where they go now; the secret of a new webhook
    is in this response only. With `version`, the change is refused if it has another version now.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.delete("/alerts/{rule_id}", summary="Delete an alert", status_code=204, responses=READS | MISSING)
async def delete_alert_rule(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, rule_id: RuleId
) -> Response:
    """Delete a rule and its messages."""
    return await commerce.forward(request)


@router.post(
    "/alerts/{rule_id}/pause",
    summary="Pause an alert",
    response_model=schemas.RuleResponse,
    responses=WRITES,
)
async def pause_alert_rule(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, rule_id: RuleId
) -> Response:
    """Stop a rule until it is resumed. An open alert is resolved, without a message."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete(
    "/alerts/{rule_id}/pause",
    summary="Resume an alert",
    response_model=schemas.RuleResponse,
    responses=READS | MISSING | NO_RECIPIENT,
)
async def resume_alert_rule(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, rule_id: RuleId
) -> Response:
    """Let a rule go on, with what ends from now on. Also a rule that was disabled because messages failed."""
    return await commerce.forward(request)


@router.post(
    "/alerts/{rule_id}/tests",
    summary="Test an alert",
    status_code=202,
    response_model=schemas.RuleResponse,
    responses=WRITES | PAUSED | TESTED,
)
async def test_alert_rule(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, rule_id: RuleId
) -> Response:
    """Send a test message to the target of a rule, at most once a minute."""
    return await commerce.forward(request, BODY_LIMIT)


@router.get(
    "/reports", summary="The reports of a seller", response_model=schemas.ReportsResponse, responses=READS
)
async def reports(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return the reports that a seller's staff gets by mail."""
    return await commerce.forward(request)


@router.post(
    "/reports",
    summary="Create a report",
    status_code=201,
    response_model=schemas.ReportResponse,
    responses=WRITES | TOO_MANY_REPORTS,
    openapi_extra=json_request_body(schemas.ReportRequest, EXAMPLE_REPORT),
)
async def create_report(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Create a report about each day, week or month, with the change since the one before.

    It goes by mail to a person of the staff who may see figures, once the figures of the period are complete.
    """
    return await commerce.forward(request, BODY_LIMIT)


@router.delete("/reports/{report_id}", summary="Delete a report", status_code=204, responses=READS | MISSING)
async def delete_report(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, report_id: ReportId
) -> Response:
    """Delete a report."""
    return await commerce.forward(request)


@router.post(
    "/reports/{report_id}/pause",
    summary="Pause a report",
    response_model=schemas.ReportResponse,
    responses=WRITES,
)
async def pause_report(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, report_id: ReportId
) -> Response:
    """Send no mails of a report until it is resumed."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete(
    "/reports/{report_id}/pause",
    summary="Resume a report",
    response_model=schemas.ReportResponse,
    responses=READS | MISSING | NO_RECIPIENT,
)
async def resume_report(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, report_id: ReportId
) -> Response:
    """Send mails of a report again, from the next one that is due."""
    return await commerce.forward(request)


@router.get(
    "/views",
    summary="The saved views of a seller",
    response_model=schemas.ViewsResponse,
    responses=READS,
)
async def views(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Return the choices of the metrics page that were saved under a name, for all of the staff."""
    return await commerce.forward(request)


@router.post(
    "/views",
    summary="Save a view",
    status_code=201,
    response_model=schemas.ViewResponse,
    responses=WRITES | TOO_MANY_VIEWS,
    openapi_extra=json_request_body(schemas.ViewRequest, EXAMPLE_VIEW),
)
async def save_view(request: Request, commerce: CommerceDep, seller_id: SellerPath) -> Response:
    """Save choices of the metrics page under a name. A view with the same name gets these choices."""
    return await commerce.forward(request, BODY_LIMIT)


@router.delete("/views/{view_id}", summary="Delete a view", status_code=204, responses=READS | MISSING)
async def delete_view(
    request: Request, commerce: CommerceDep, seller_id: SellerPath, view_id: ViewId
) -> Response:
    """Delete a view."""
    return await commerce.forward(request)
