"""`/sell/{seller_id}/alerts/rules/{rule_id}`: the form that changes an alert."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import read_catalogue
from common.access_policy import NotYours
from common.guarded_route import policy
from common.ids import Id
from common.problems import Problem
from serving.analytics.dependencies import DashboardsDep
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.parameters import SellerId
from serving.web.forms import BadField, Form, confirmation, form_page, read_form
from serving.web.policy import OF_MANAGERS, OF_SELLER, may_manage, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.alert_form import (
    CONDITIONS,
    SEND_TO,
    SEVERITIES,
    WINDOWS,
    changed_rule_body,
    fields_of_rule,
)
from serving.web.seller.alerts import (
    address,
    alerts_page,
    condition_text,
    metrics_by_domain,
    seller_details,
)
from serving.web.seller.choices import handed_on
from serving.web.service_calls import Refusal, ask

CHANGED_MEANWHILE = "changed-meanwhile"

router = page_router(OF_SELLER, "/sell/{seller_id}/alerts/rules/{rule_id}")


class _Overtaken(Problem):
    """Somebody has changed the alert since the form was opened."""

    status, kind, title = 409, CHANGED_MEANWHILE, "Somebody has changed this alert"

    def __init__(self) -> None:
        super().__init__(
            "The form has what you entered. Compare it with the alert as it is now. Save it again to replace "
            "the alert, or go back to leave it as it is."
        )


@router.get("")
async def seller_alert(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, rule_id: Id
) -> Response:
    """Return the form with the alert as it is."""
    return await _page(request, dashboards, seller_id, rule_id)


@router.post("")
@policy(OF_MANAGERS)
async def save_seller_alert(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, rule_id: Id
) -> Response:
    """Change the alert, and return to the list. Only the response shows the secret of a new webhook."""
    form = await read_form(request)
    path = "/v1/sellers/{seller_id}/alerts/{rule_id}"
    try:
        body = changed_rule_body(form, opened(request, PageRenderer).formatter.currency)
        changed = await ask(request, "PUT", path, body, seller_id=seller_id, rule_id=rule_id)
    except Refusal as refusal:
        problem = _Overtaken() if refusal.kind == CHANGED_MEANWHILE else refusal
        return await _page(request, dashboards, seller_id, rule_id, problem, form)
    except BadField as problem:
        return await _page(request, dashboards, seller_id, rule_id, problem, form)
    if changed["webhook_secret"] is None:
        return confirmation(address(seller_id), "rule_changed", "rules")
    return await alerts_page(request, dashboards, seller_id, new_rule=changed)


async def _page(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: str,
    rule_id: str,
    problem: Problem | None = None,
    entered: Form | None = None,
) -> Response:
    found = await ask(request, "GET", "/v1/sellers/{seller_id}/alerts", seller_id=seller_id)
    rule: dict[str, Any] | None = next((each for each in found["rules"] if each["rule_id"] == rule_id), None)
    if rule is None:
        raise NotYours
    formatter = opened(request, PageRenderer).formatter
    return form_page(
        request,
        "seller/alert.html",
        {},
        problem,
        entered or fields_of_rule(rule, formatter.currency),
        seller=await seller_details(dashboards, seller_id),
        seller_id=seller_id,
        rule=rule,
        condition=condition_text(rule, formatter),
        metrics=read_catalogue(),
        domains=metrics_by_domain(),
        tabs=handed_on(request),
        may_manage=may_manage(identity_of(request).principal, seller_id),
        conditions=CONDITIONS,
        windows=WINDOWS,
        severities=SEVERITIES,
        send_to=SEND_TO,
    )
