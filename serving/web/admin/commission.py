"""`/admin/commission`: the rules by which the marketplace keeps a part of each order line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from common.problems import Problem
from serving.analytics import dependencies
from serving.kit.domain import opened
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.forms import BadField, Form, action, send
from serving.web.renderer import PageRenderer
from serving.web.service_calls import ask
from serving.web.translation import gettext

RULES = "/v1/commission_rules"

router = admin_router()


@router.get("/commission")
async def commission(
    request: Request,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    seller_id: Search = "",
) -> Response:
    """Return the rules, newest first, and the form that adds one; it may be filled in with a seller."""
    return await _commission_page(request, before=before, seller_id=seller_id)


async def _commission_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    before: int | None = None,
    seller_id: str = "",
) -> Response:
    query = {"before": None if before is None else str(before)}
    page = await ask(request, "GET", RULES, query=query)
    now = dependencies.now(request)
    is_complete = before is None and page["next_before"] is None
    return admin_page(
        request,
        "commission.html",
        "commission",
        problem,
        entered,
        routes={"add": ("POST", RULES)},
        rules=page["rules"],
        states=rule_states(page["rules"], now) if is_complete else {},
        next_before=page["next_before"],
        seller_id=seller_id,
    )


@router.post("/commission")
async def add_commission_rule(request: Request) -> Response:
    """Add a rule for all sellers, for a category or for a seller. Amounts are in the shop's currency."""
    formatter = opened(request, PageRenderer).formatter

    async def add(form: Form) -> None:
        rate_bp = form.basis_points("rate", gettext("The rate"))
        if rate_bp is None:
            raise BadField(gettext("The rate is missing. Enter a percentage such as 12.5."))
        minimum = form.minor("minimum", gettext("The minimum"), formatter.currency)
        maximum = form.minor("maximum", gettext("The maximum"), formatter.currency)
        valid_from = form.midnight("valid_from", gettext("The day"), formatter.zone)
        await send(
            request,
            form,
            "POST",
            RULES,
            rate_bp=rate_bp,
            minimum_minor=minimum,
            maximum_minor=maximum,
            currency=None if minimum is None and maximum is None else formatter.currency,
            valid_from=valid_from and valid_from.isoformat(),
        )

    return await action(request, add, _commission_page, "/admin/commission", "rule_added")


def rule_states(rules: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, str]:
    """Return for each rule id `in force`, `announced` or `superseded`. `rules` are all, newest first."""
    states: dict[str, str] = {}
    in_force: dict[tuple[str | None, str | None], tuple[datetime, str]] = {}
    for rule in reversed(rules):
        valid_from, scope = datetime.fromisoformat(rule["valid_from"]), (rule["seller_id"], rule["category"])
        states[rule["rule_id"]] = "superseded" if valid_from <= now else "announced"
        if valid_from <= now and (scope not in in_force or in_force[scope][0] <= valid_from):
            in_force[scope] = valid_from, rule["rule_id"]
    return states | {rule_id: "in force" for _, rule_id in in_force.values()}
