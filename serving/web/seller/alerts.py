"""`/sell/{seller_id}/alerts`: a seller's alerts, their messages, and the reports to the staff by mail."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import Metric, read_catalogue, read_domains
from common.guarded_route import policy
from common.ids import PRINTABLE, Id
from common.problems import Problem
from common.request_path import in_path
from serving.analytics.dependencies import DashboardsDep
from serving.gateway.gateway import identity_of
from serving.kit.clickhouse import Row
from serving.kit.domain import opened
from serving.kit.parameters import SellerId
from serving.web.formatter import Formatter
from serving.web.forms import BadField, Form, confirmation, form_page, read_form, submit
from serving.web.policy import OF_MANAGERS, OF_SELLER, may_manage, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.alert_form import (
    CONDITIONS,
    REPORT_PERIODS,
    SEVERITIES,
    WINDOWS,
    report_body,
    rule_body,
)
from serving.web.seller.choices import UNREGISTERED, handed_on
from serving.web.seller.metrics import metric_text
from serving.web.service_calls import Refusal, ask
from serving.web.translation import N_, gettext, translated

MESSAGES: Mapping[str, str] = {
    "rule_created": N_("The alert is on. It looks at what ends from now on."),
    "rule_changed": N_("The alert is changed. It looks at what ends from now on."),
    "rule_paused": N_("The alert is paused."),
    "rule_resumed": N_("The alert is on again."),
    "rule_deleted": N_("The alert is deleted."),
    "rule_tested": N_("The test is on its way. See the messages below."),
    "report_created": N_("The report is on. The first mail comes when the next period is over."),
    "report_paused": N_("The report is paused."),
    "report_resumed": N_("The report is on again."),
    "report_deleted": N_("The report is deleted."),
}

STATES: Mapping[str, tuple[str, str]] = {
    "normal": (N_("Normal"), "good"),
    "pending": (N_("Pending"), "wait"),
    "firing": (N_("Firing"), "bad"),
    "recovering": (N_("Recovering"), "wait"),
    "no_data": (N_("No data"), ""),
}
"""State of a rule → its text and the class of its chip."""

USUAL: Mapping[str, str] = {
    "above": N_("far above the usual of that time (%(deviations)s deviations)"),
    "below": N_("far below the usual of that time (%(deviations)s deviations)"),
    "either": N_("far away from the usual of that time (%(deviations)s deviations)"),
}
"""Direction of a rule that compares with the usual → its text."""

ACTIONS: Mapping[str, tuple[str, str, str]] = {
    "pause": ("POST", "/pause", "paused"),
    "resumption": ("DELETE", "/pause", "resumed"),
    "removal": ("DELETE", "", "deleted"),
    "test": ("POST", "/tests", "tested"),
}
"""Action of a form → the method and the end of the path of the service, and the end of its message."""

SHOWN_MESSAGES = "20"

router = page_router(OF_SELLER, "/sell/{seller_id}/alerts")

Action = Annotated[str, Path(pattern="^(pause|resumption|removal|test)$")]
Before = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)]


@router.get("")
async def seller_alerts(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, before: Before = None
) -> Response:
    """Return the page. It needs the service alerts, and no figures."""
    return await alerts_page(request, dashboards, seller_id, before=before)


@router.post("/rules")
@policy(OF_MANAGERS)
async def create_seller_alert(request: Request, dashboards: DashboardsDep, seller_id: SellerId) -> Response:
    """Create an alert. A webhook's response shows its secret; no other does, so that it is not a redirect."""
    form = await read_form(request)
    try:
        body = rule_body(form, opened(request, PageRenderer).formatter.currency)
        created = await ask(request, "POST", "/v1/sellers/{seller_id}/alerts", body, seller_id=seller_id)
    except (BadField, Refusal) as problem:
        return await alerts_page(request, dashboards, seller_id, problem, form)
    if created["webhook_secret"] is None:
        return confirmation(address(seller_id), "rule_created", "rules")
    response = await alerts_page(request, dashboards, seller_id, new_rule=created)
    response.status_code = 201
    return response


@router.post("/rules/{rule_id}/{action}")
@policy(OF_MANAGERS)
async def change_seller_alert(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, rule_id: Id, action: Action
) -> Response:
    """Pause, resume, delete or test an alert."""
    form = await read_form(request)
    method, end, done = ACTIONS[action]

    async def change() -> None:
        path = f"/v1/sellers/{{seller_id}}/alerts/{{rule_id}}{end}"
        await ask(request, method, path, seller_id=seller_id, rule_id=rule_id)

    return await _submitted(request, dashboards, seller_id, form, change, f"rule_{done}", "rules")


@router.post("/reports")
@policy(OF_MANAGERS)
async def create_seller_report(request: Request, dashboards: DashboardsDep, seller_id: SellerId) -> Response:
    """Create a report."""
    form = await read_form(request)

    async def create() -> None:
        path = "/v1/sellers/{seller_id}/reports"
        await ask(request, "POST", path, report_body(form), seller_id=seller_id)

    return await _submitted(request, dashboards, seller_id, form, create, "report_created", "reports")


@router.post("/reports/{report_id}/{action}")
@policy(OF_MANAGERS)
async def change_seller_report(
    request: Request, dashboards: DashboardsDep, seller_id: SellerId, report_id: Id, action: Action
) -> Response:
    """Pause, resume or delete a report."""
    form = await read_form(request)
    method, end, done = ACTIONS[action]

    async def change() -> None:
        path = f"/v1/sellers/{{seller_id}}/reports/{{report_id}}{end}"
        await ask(request, method, path, seller_id=seller_id, report_id=report_id)

    return await _submitted(request, dashboards, seller_id, form, change, f"report_{done}", "reports")


async def _submitted(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: str,
    form: Form,
    change: Callable[[], Awaitable[None]],
    done: str,
    section: str,
) -> Response:
    async def page(problem: Problem) -> Response:
        return await alerts_page(request, dashboards, seller_id, problem, form)

    return await submit(change, page, address(seller_id), done, section)


def address(seller_id: str) -> str:
    """Return the address of a seller's page of alerts."""
    return f"/sell/{in_path(seller_id)}/alerts"


async def alerts_page(
    request: Request,
    dashboards: DashboardsDep,
    seller_id: str,
    problem: Problem | None = None,
    entered: Form | None = None,
    new_rule: Mapping[str, Any] | None = None,
    before: str | None = None,
) -> Response:
    """Return the page, with a problem and what was entered, or with the secret of a new webhook."""
    rules, messages, reports, details = await asyncio.gather(
        ask(request, "GET", "/v1/sellers/{seller_id}/alerts", seller_id=seller_id),
        ask(
            request,
            "GET",
            "/v1/sellers/{seller_id}/alerts/messages",
            query={"before": before, "limit": SHOWN_MESSAGES},
            seller_id=seller_id,
        ),
        ask(request, "GET", "/v1/sellers/{seller_id}/reports", seller_id=seller_id),
        seller_details(dashboards, seller_id),
    )
    formatter: Formatter = opened(request, PageRenderer).formatter
    catalogue = read_catalogue()
    return form_page(
        request,
        "seller/alerts.html",
        MESSAGES,
        problem,
        entered,
        seller=details,
        seller_id=seller_id,
        rules=[(rule, condition_text(rule, formatter)) for rule in rules["rules"]],
        metrics=catalogue,
        domains=metrics_by_domain(),
        listed=messages["messages"],
        next_before=messages["next_before"],
        reports=reports["reports"],
        new_rule=new_rule,
        tabs=handed_on(request),
        may_manage=may_manage(identity_of(request).principal, seller_id),
        states=STATES,
        conditions=CONDITIONS,
        windows=WINDOWS,
        severities=SEVERITIES,
        report_periods=REPORT_PERIODS,
    )


async def seller_details(dashboards: DashboardsDep, seller_id: str) -> Row:
    """Return the seller's name and place; nothing of them if ClickHouse does not answer."""
    with suppress(Problem):
        return await dashboards.seller(seller_id) or UNREGISTERED
    return UNREGISTERED


def metrics_by_domain() -> list[tuple[str, list[Metric]]]:
    """Return the title of each domain with its metrics."""
    every = read_catalogue().values()
    return [
        (domain.title, [metric for metric in every if metric.domain == name])
        for name, domain in read_domains().items()
    ]


def condition_text(rule: Mapping[str, Any], formatter: Formatter) -> str:
    """Return in words when an alert fires, such as `each hour, if below R$100.00`."""
    condition, metric = rule["condition"], read_catalogue().get(rule["metric"])
    if condition["kind"] == "threshold":
        limit = condition["value"]
        shown = metric_text(metric, limit, formatter) if metric else formatter.number(limit)
        below = condition["direction"] == "below"
        text = gettext("below %(value)s", value=shown) if below else gettext("above %(value)s", value=shown)
    else:
        deviations = formatter.number(condition["deviations"])
        usual = USUAL[condition["direction"]]
        text = gettext(usual, deviations=deviations)
    window = translated(WINDOWS[rule["window"]]).lower()
    if rule["fires_after"] == 1:
        return gettext("%(window)s, if %(condition)s", window=window, condition=text)
    return gettext(
        "%(window)s, if %(condition)s, %(times)s times in a row",
        window=window,
        condition=text,
        times=rule["fires_after"],
    )
