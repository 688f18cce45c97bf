"""`/sell/{seller_id}/alerts`: a seller's alerts, their messages, and the reports to the staff by mail."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from clickhouse.metric_catalogue.definition import Metric, read_catalogue, read_domains
from common.access_policy import NotYours
from common.guarded_route import policy
from common.ids import PRINTABLE, Id
from common.problems import Problem, problem
from serving.analytics.dependencies import AnalyticsDomain
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.parameters import SellerId
from serving.web.formatter import Formatter
from serving.web.forms import Form, action, form_page
from serving.web.policy import OF_MANAGERS, OF_SELLER, may_manage, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.alert_form import (
    CONDITIONS,
    REPORT_PERIODS,
    REPORTS,
    RULE,
    RULES,
    SEND_TO,
    SEVERITIES,
    WINDOWS,
    changed_rule_body,
    fields_of_rule,
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

HERE = "/sell/{seller_id}/alerts"

CHANGED_MEANWHILE = "changed-meanwhile"
OVERTAKEN = problem(
    409,
    CHANGED_MEANWHILE,
    "Somebody has changed this alert",
    "The form has what you entered. Compare it with the alert as it is now. Save it again to replace the "
    "alert, or go back to leave it as it is.",
)

router = page_router(OF_SELLER, HERE)

Action = Annotated[str, Path(pattern="^(pause|resumption|removal|test)$")]
Before = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)]


@router.get("")
async def seller_alerts(request: Request, seller_id: SellerId, before: Before = None) -> Response:
    """Return the page. It needs the service alerts, and no figures."""
    return await _page(request, before=before)


@router.post("/rules")
@policy(OF_MANAGERS)
async def create_seller_alert(request: Request, seller_id: SellerId) -> Response:
    """Create an alert. A webhook's response shows its secret; no other does, so that it is not a redirect."""

    async def create(form: Form) -> Response | None:
        created = await ask(
            request, "POST", RULES, rule_body(form, opened(request, PageRenderer).formatter.currency)
        )
        return await _with_secret(request, created, 201)

    return await action(request, create, _page, f"{HERE}#rules", "rule_created")


@router.get("/rules/{rule_id}")
async def seller_alert(request: Request, seller_id: SellerId, rule_id: Id) -> Response:
    """Return the form that changes an alert, with the alert as it is."""
    return await _rule_page(request)


@router.post("/rules/{rule_id}")
@policy(OF_MANAGERS)
async def save_seller_alert(request: Request, seller_id: SellerId, rule_id: Id) -> Response:
    """Change the alert, and return to the list. Only the response shows the secret of a new webhook."""

    async def save(form: Form) -> Response | None:
        body = changed_rule_body(form, opened(request, PageRenderer).formatter.currency)
        try:
            changed = await ask(request, "PUT", RULE, body)
        except Refusal as refusal:
            if refusal.kind != CHANGED_MEANWHILE:
                raise
            return await _rule_page(request, OVERTAKEN(), form)
        return await _with_secret(request, changed, 200)

    return await action(request, save, _rule_page, f"{HERE}#rules", "rule_changed")


@router.post("/rules/{rule_id}/{action}")
@policy(OF_MANAGERS)
async def change_seller_alert(request: Request, seller_id: SellerId, rule_id: Id, action: Action) -> Response:
    """Pause, resume, delete or test an alert."""
    return await _act(request, RULE, action, "rule")


@router.post("/reports")
@policy(OF_MANAGERS)
async def create_seller_report(request: Request, seller_id: SellerId) -> Response:
    """Create a report."""

    async def create(form: Form) -> None:
        await ask(request, "POST", REPORTS, report_body(form))

    return await action(request, create, _page, f"{HERE}#reports", "report_created")


@router.post("/reports/{report_id}/{action}")
@policy(OF_MANAGERS)
async def change_seller_report(
    request: Request, seller_id: SellerId, report_id: Id, action: Action
) -> Response:
    """Pause, resume or delete a report."""
    return await _act(request, f"{REPORTS}/{{report_id}}", action, "report")


async def _act(request: Request, path: str, name: str, what: str) -> Response:
    method, end, done = ACTIONS[name]

    async def act(_form: Form) -> None:
        await ask(request, method, path + end)

    return await action(request, act, _page, f"{HERE}#{what}s", f"{what}_{done}")


async def _with_secret(request: Request, rule: Mapping[str, Any], status: int) -> Response | None:
    """Return the page with the secret of the webhook of a rule; None if it has no new webhook."""
    if rule["webhook_secret"] is None:
        return None
    response = await _page(request, new_rule=rule)
    response.status_code = status
    return response


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    new_rule: Mapping[str, Any] | None = None,
    before: str | None = None,
) -> Response:
    """Return the page, with a problem and what was entered, or with the secret of a new webhook."""
    shown = {"before": before, "limit": SHOWN_MESSAGES}
    rules, messages, reports, common = await asyncio.gather(
        ask(request, "GET", RULES),
        ask(request, "GET", f"{RULES}/messages", query=shown),
        ask(request, "GET", REPORTS),
        _shown_on_both(request),
    )
    formatter = opened(request, PageRenderer).formatter
    return form_page(
        request,
        "seller/alerts.html",
        MESSAGES,
        problem,
        entered,
        routes={"rule": ("POST", RULES), "report": ("POST", REPORTS)},
        rules=[(rule, condition_text(rule, formatter)) for rule in rules["rules"]],
        listed=messages["messages"],
        next_before=messages["next_before"],
        reports=reports["reports"],
        new_rule=new_rule,
        states=STATES,
        report_periods=REPORT_PERIODS,
        **common,
    )


async def _rule_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    """Return the form that changes a rule, with the rule as it is or with what was entered."""
    found, common = await asyncio.gather(ask(request, "GET", RULES), _shown_on_both(request))
    rule: dict[str, Any] | None = next(
        (each for each in found["rules"] if each["rule_id"] == request.path_params["rule_id"]), None
    )
    if rule is None:
        raise NotYours
    formatter = opened(request, PageRenderer).formatter
    return form_page(
        request,
        "seller/alert.html",
        {},
        problem,
        entered or fields_of_rule(rule, formatter.currency),
        routes={"rule": ("PUT", RULE)},
        rule=rule,
        condition=condition_text(rule, formatter),
        send_to=SEND_TO,
        **common,
    )


async def _shown_on_both(request: Request) -> dict[str, Any]:
    """Return the seller, whose name and place are missing if ClickHouse does not answer, and the choices."""
    seller_id, details = request.path_params["seller_id"], None
    with suppress(Problem):
        details = await opened(request, AnalyticsDomain).dashboards.seller(seller_id)
    return {
        "seller": details or UNREGISTERED,
        "seller_id": seller_id,
        "metrics": read_catalogue(),
        "domains": metrics_by_domain(),
        "tabs": handed_on(request),
        "may_manage": may_manage(identity_of(request).principal, seller_id),
        "conditions": CONDITIONS,
        "windows": WINDOWS,
        "severities": SEVERITIES,
    }


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
