"""`/sell/{seller_id}/costs`: what a unit of each product of a seller costs, set one by one or with a file."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Id
from common.problems import Problem
from serving.analytics.dependencies import AnalyticsDomain
from serving.kit.analytics_context import AnalyticsContext
from serving.kit.domain import opened
from serving.kit.names import ProductName
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.request_body import SentFile
from serving.web.forms import BadField, Form, action, form_page, read_form
from serving.web.policy import COSTS_READERS, SETTINGS_WRITERS, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import handed_on
from serving.web.service_calls import ask
from serving.web.translation import N_, gettext

MESSAGES: Mapping[str, str] = {
    "cost_saved": N_("The cost is saved. The profit of its time changes within seconds."),
    "costs_saved": N_("The costs of the file are saved. The profit of their time changes within seconds."),
}

FILE_LIMIT = 1024 * 1024
"""The largest form with a file in bytes."""

HERE = "/sell/{seller_id}/costs"
COSTS = "/v1/sellers/{seller_id}/costs"

router = page_router(SETTINGS_WRITERS, HERE)

After = Annotated[Id | None, Query()]


@router.get("")
@policy(COSTS_READERS)
async def costs_page(request: Request, seller_id: Id, after: After = None) -> Response:
    """Return a page of the seller's products with their costs."""
    return await _page(request, after=after)


@router.post("")
async def save_cost(request: Request, seller_id: Id) -> Response:
    """Save the cost of one product from a day on; without an amount, remove the cost of that day."""
    formatter = opened(request, PageRenderer).formatter

    async def save(form: Form) -> None:
        amount = form.minor("unit_cost", gettext("The cost"), formatter.currency)
        valid_from = form.midnight("valid_from", gettext("The day"), formatter.zone)
        if valid_from is None:
            raise BadField(gettext("The day is missing. Choose the day from which the cost is valid."))
        cost = {
            "product_id": form.text("product_id"),
            "unit_cost_minor": amount,
            "currency": formatter.currency,
            "valid_from": f"{valid_from:%F}",
        }
        await ask(request, "PUT", COSTS, [cost])

    return await action(request, save, _page, HERE, "cost_saved")


@router.post("/file")
async def save_costs(request: Request, seller_id: Id) -> Response:
    """Save the costs of a CSV file."""

    async def save(form: Form) -> None:
        await ask(request, "PUT", COSTS, file=SentFile("text/csv", form.text("file").encode()))

    return await action(request, save, _page, HERE, "costs_saved", partial(read_form, limit=FILE_LIMIT))


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    after: str | None = None,
) -> Response:
    context = opened(request, AnalyticsDomain).services.context
    shown: dict[str, Any] = await ask(request, "GET", COSTS, query={"after": after})
    profile = await ask(request, "GET", "/v1/sellers/{seller_id}/profile")
    return form_page(
        request,
        "seller/costs.html",
        MESSAGES,
        problem,
        entered,
        seller=profile,
        tabs=handed_on(request),
        products=shown["products"],
        names=await _names(context, [product["product_id"] for product in shown["products"]]),
        next_after=shown["next_after"],
        today=f"{context.clock().astimezone(context.zone):%F}",
    )


async def _names(context: AnalyticsContext, product_ids: Sequence[str]) -> Mapping[str, ProductName]:
    """Return product → name. Without ClickHouse, the page shows the ids alone."""
    try:
        return await context.product_names(product_ids)
    except ClickHouseUnavailable:
        return {}
