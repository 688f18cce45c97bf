"""`/sell/{seller_id}/listings`: what a seller lists, prices and stock in bulk, and the holiday."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import PRINTABLE
from common.problems import Problem
from producers.services.products.endpoints import Cursor
from producers.services.products.model import BlockReason, Condition, Status
from serving.analytics import dependencies
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.parameters import CategoryParam, SellerId
from serving.kit.periods import midnight
from serving.kit.problems import CommerceUnavailable
from serving.web.category_names import category_names
from serving.web.formatter import Formatter
from serving.web.forms import BadField, Form, action, form_page, sending
from serving.web.policy import OF_MANAGERS, OF_STAFF, OF_STOCK_KEEPERS, admits, may_manage, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller import listing_form
from serving.web.seller.choices import handed_on
from serving.web.seller.panels import sees_figures
from serving.web.service_calls import ask
from serving.web.translation import N_, gettext

PAGE = "/sell/{seller_id}/listings"
LISTINGS = "/v1/sellers/{seller_id}/listings"
HOLIDAY = "/v1/sellers/{seller_id}/holiday"

SHOWN = "25"
"""The number of listings on a page."""

STATUSES: Mapping[Status, str] = {
    "listed": N_("On offer"),
    "draft": N_("Draft"),
    "delisted": N_("Taken off"),
    "blocked": N_("Blocked"),
}
TONES: Mapping[Status, str] = {"listed": "good", "draft": "wait", "delisted": "", "blocked": "bad"}

CONDITIONS: Mapping[Condition, str] = {
    "new": N_("New"),
    "used": N_("Used"),
    "refurbished": N_("Refurbished"),
}
BLOCK_REASONS: Mapping[BlockReason, str] = {
    "prohibited": N_("It may not be sold here"),
    "counterfeit": N_("It is a counterfeit"),
    "misleading": N_("Its description is misleading"),
    "unsafe": N_("It is not safe"),
    "other": N_("Another reason"),
}
"""Why an administrator has taken a listing off."""

MESSAGES: Mapping[str, str] = {
    "values_saved": N_("Prices and stock are saved. The shop shows them within seconds."),
    "nothing_changed": N_("No price and no stock was changed."),
    "listed": N_("The product is listed. Shoppers find it within seconds."),
    "draft_saved": N_("The draft is saved. It is not on offer."),
    "changed": N_("The listing is saved. The shop shows it within seconds."),
    "delisted": N_("The product is taken off. You can put it back on offer."),
    "holiday_set": N_("The holiday is saved. During it, nobody can buy from you."),
    "holiday_ended": N_("The holiday has ended. Your offers can be bought again within seconds."),
}

router = page_router(OF_STAFF, "/sell/{seller_id}")

StatusParam = Annotated[Status | Literal[""], Query()]
Text = Annotated[str, Query(max_length=200, pattern=PRINTABLE)]


async def _filters(status: StatusParam = "", category: CategoryParam = "", q: Text = "") -> dict[str, str]:
    """Return what the list is filtered by."""
    return {"status": status, "category": category, "q": q}


Filters = Annotated[dict[str, str], Depends(_filters)]


@router.get("/listings")
async def listings_page(
    request: Request, seller_id: SellerId, filters: Filters, cursor: Cursor = None
) -> Response:
    """Return a page of the listings that match the filter, the last changed first."""
    return await _page(request, filters=filters, cursor=cursor)


@router.post("/listings")
@policy(OF_STOCK_KEEPERS)
async def save_values(
    request: Request, seller_id: SellerId, filters: Filters, cursor: Cursor = None
) -> Response:
    """Save the prices and the stock that were changed in the list: all of the stock, or none of it."""
    kept = {name: value for name, value in {**filters, "cursor": cursor or ""}.items() if value}
    back = PAGE + (f"?{urlencode(kept)}" if kept else "")

    async def save(form: Form) -> str:
        prices, stock = listing_form.changed_prices(form), listing_form.changed_stock(form)
        counts = [
            {"product_id": product_id, "seller_id": seller_id, "on_hand": on_hand}
            for product_id, on_hand in stock.items()
        ]
        if counts:
            await ask(request, "PUT", "/v1/stock", counts)
        for product_id, minor in prices.items():
            body = {"price_minor": minor}
            await ask(request, "PUT", f"{LISTINGS}/{{product_id}}/price", body, product_id=product_id)
        return "values_saved" if counts or prices else "nothing_changed"

    return await action(request, save, partial(_page, filters=filters, cursor=cursor), back, "values_saved")


@router.post("/holiday")
@policy(OF_MANAGERS)
async def set_holiday(request: Request, seller_id: SellerId) -> Response:
    """Take all offers off from a day on, and to the end of another day if there is one."""
    formatter = opened(request, PageRenderer).formatter

    async def save(form: Form) -> None:
        await ask(request, "PUT", HOLIDAY, holiday(form, formatter))

    return await action(request, save, _page, f"{PAGE}#holiday", "holiday_set")


@router.post("/holiday/end")
@policy(OF_MANAGERS)
async def end_holiday(request: Request, seller_id: SellerId) -> Response:
    """End or cancel the holiday."""
    return await action(
        request, sending(request, "DELETE", HOLIDAY), _page, f"{PAGE}#holiday", "holiday_ended"
    )


def holiday(form: Form, formatter: Formatter) -> dict[str, str | None]:
    """Return the holiday of a form with its first and its last day.

    Raises:
        BadField: a day is missing, or can't be read.
    """
    since = form.midnight("since", gettext("The first day"), formatter.zone)
    last = form.midnight("last", gettext("The last day"), formatter.zone)
    if since is None:
        raise BadField(gettext("The first day is missing."))
    until = midnight(last.date() + timedelta(days=1), formatter.zone) if last else None
    return {"since": since.isoformat(), "until": until.isoformat() if until else None}


async def read_stock(request: Request, product_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]] | None:
    """Return product → stock; None if the inventory service does not answer."""
    if not product_ids:
        return {}
    try:
        found = await ask(request, "GET", "/v1/sellers/{seller_id}/stock", query={"product_id": product_ids})
    except CommerceUnavailable:
        return None
    return {stock["product_id"]: stock for stock in found}


async def of_seller(request: Request) -> dict[str, Any]:
    """Return what the head and the tabs of these pages show, and what the person may do here."""
    principal, seller_id = identity_of(request).principal, request.path_params["seller_id"]
    return {
        "seller": await ask(request, "GET", "/v1/sellers/{seller_id}/profile"),
        "seller_id": seller_id,
        "tabs": handed_on(request),
        "may_manage": may_manage(principal, seller_id),
        "may_stock": admits(OF_STOCK_KEEPERS, principal, seller_id),
        "has_figures": sees_figures(principal, seller_id),
    }


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    filters: Mapping[str, str] | None = None,
    cursor: str | None = None,
) -> Response:
    chosen = {name: value for name, value in (filters or {}).items() if value}
    page = await ask(request, "GET", LISTINGS, query={**chosen, "cursor": cursor, "limit": SHOWN})
    names = await category_names(request)
    product_ids = [listing["product_id"] for listing in page["listings"]]
    return form_page(
        request,
        "seller/listings.html",
        MESSAGES,
        problem,
        entered,
        listings=page["listings"],
        stock=await read_stock(request, product_ids),
        next_cursor=page["next_cursor"],
        cursor=cursor,
        chosen=chosen,
        names=names,
        statuses=STATUSES,
        tones=TONES,
        holiday=await ask(request, "GET", HOLIDAY),
        amount=listing_form.plain_amount,
        now=dependencies.now(request),
        **await of_seller(request),
    )
