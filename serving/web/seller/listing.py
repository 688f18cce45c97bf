"""The pages on which a seller lists a product, offers another seller's, and changes a listing."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Id
from common.problems import Problem
from producers.services.products.model import MAX_PICTURES, MAX_VARIANTS
from serving.commerce.commerce_client import target_path
from serving.kit.domain import opened
from serving.kit.parameters import CategoryParam, ProductId, SellerId
from serving.web.category_names import CategoryNames, category_names
from serving.web.forms import Form, action, confirmation, form_page, send, sending
from serving.web.policy import OF_MANAGERS, OF_STAFF, SETTINGS_READERS, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller import listing_form
from serving.web.seller.listings import (
    BLOCK_REASONS,
    CONDITIONS,
    LISTINGS,
    MESSAGES,
    PAGE,
    STATUSES,
    TONES,
    of_seller,
    read_stock,
)
from serving.web.service_calls import ask

LISTING = f"{LISTINGS}/{{product_id}}"
OFFERS = "/v1/sellers/{seller_id}/offers"
OFFER = f"{OFFERS}/{{product_id}}"
LISTING_PAGE = f"{PAGE}/{{product_id}}"

SHOWN_PRICES = 20
SHOWN_VARIANTS = "100"

router = page_router(OF_MANAGERS, "/sell/{seller_id}")


@router.get("/list")
@policy(SETTINGS_READERS)
async def new_listing_page(
    request: Request, seller_id: SellerId, category: CategoryParam = "", variant_of: Id | None = None
) -> Response:
    """Return the choice of a category, or the form of a product in it: a new one, or a further variant."""
    return await _new_page(request, category=category, variant_of=variant_of)


@router.post("/list")
async def list_product(request: Request, seller_id: SellerId) -> Response:
    """List a product, or add rows to the table of its variants."""

    async def save(form: Form) -> Response | str:
        if form.text("more_rows"):
            return await _new_page(request, entered=form)
        names, currency = await category_names(request), _currency(request)
        category = form.text("category")
        listed: list[dict[str, Any]] = await send(
            request,
            form,
            "POST",
            LISTINGS,
            **listing_form.contents(form, names, category, currency),
            variants=listing_form.variants(form, names, category, currency),
        )
        done = "draft_saved" if listed[0]["status"] == "draft" else "listed"
        if len(listed) > 1:
            return done
        return confirmation(target_path(LISTING_PAGE, _ids(request, listed[0]["product_id"])), done)

    return await action(request, save, _new_page, PAGE, "listed")


@router.post("/offers")
async def offer_product(request: Request, seller_id: SellerId) -> Response:
    """Offer a product that another seller has listed."""

    async def save(form: Form) -> Response:
        minor = listing_form.price(form, "price", _currency(request))
        offer = await send(request, form, "POST", OFFERS, price_minor=minor)
        done = "draft_saved" if offer["status"] == "draft" else "listed"
        return confirmation(target_path(LISTING_PAGE, _ids(request, offer["product_id"])), done)

    return await action(request, save, _new_page, PAGE, "listed")


@router.get("/listings/{product_id}")
@policy(OF_STAFF)
async def listing_page(request: Request, seller_id: SellerId, product_id: ProductId) -> Response:
    """Return a listing with the forms that change it, its variants, its stock and its prices so far."""
    return await _listing_page(request)


@router.post("/listings/{product_id}")
async def change_listing(request: Request, seller_id: SellerId, product_id: ProductId) -> Response:
    """Save a listing; of a product that another seller describes, only what the offer says."""

    async def save(form: Form) -> None:
        listing, names = await asyncio.gather(ask(request, "GET", LISTING), category_names(request))
        currency, read = listing["currency"], {"changed_at": form.optional("changed_at")}
        if listing["owner_id"] == seller_id:
            category = form.text("category")
            given = listing_form.contents(form, names, category, currency)
            await ask(request, "PUT", LISTING, form.body("PUT", LISTING, **given), read)
        else:
            minor = listing_form.price(form, "price", currency)
            await ask(request, "PUT", OFFER, form.body("PUT", OFFER, price_minor=minor), read)

    return await action(request, save, _listing_page, LISTING_PAGE, "changed")


@router.post("/listings/{product_id}/removal")
async def delist_product(request: Request, seller_id: SellerId, product_id: ProductId) -> Response:
    """Take a listing off."""
    return await action(request, sending(request, "DELETE", LISTING), _listing_page, LISTING_PAGE, "delisted")


@router.post("/listings/{product_id}/return")
async def list_again(request: Request, seller_id: SellerId, product_id: ProductId) -> Response:
    """Put a draft, or what was taken off, on offer as it is."""

    async def save(_: Form) -> None:
        listing = await ask(request, "GET", LISTING)
        kept = {name: listing[name] for name in ("price_minor", "condition", "handling_days", "sku")}
        read = {"changed_at": listing["changed_at"]}
        await ask(request, "PUT", OFFER, {**kept, "status": "listed"}, read)

    return await action(request, save, _listing_page, LISTING_PAGE, "listed")


def _currency(request: Request) -> str:
    return opened(request, PageRenderer).formatter.currency


def _ids(request: Request, product_id: str) -> dict[str, str]:
    return {**request.path_params, "product_id": product_id}


async def _new_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    category: str = "",
    variant_of: str | None = None,
) -> Response:
    typed = entered or Form()
    variant_of = variant_of or typed.optional("variant_of")
    sibling = await ask(request, "GET", LISTING, product_id=variant_of) if variant_of else None
    category = (sibling["category"] if sibling else None) or category or typed.text("category")
    of_page, names = await asyncio.gather(of_seller(request), category_names(request))
    count = listing_form.rows(typed) + (listing_form.MORE_ROWS if typed.text("more_rows") else 0)
    return form_page(
        request,
        "seller/list_product.html",
        MESSAGES,
        problem,
        entered,
        routes={"listing": ("POST", LISTINGS), "offer": ("POST", OFFERS)},
        category=category,
        sibling=sibling,
        rows=min(count, MAX_VARIANTS),
        variant_keys=[] if sibling else names.variant_keys(category),
        **_form_parts(typed.of("listing"), names, sibling or {}, category, _currency(request)),
        **of_page,
    )


async def _listing_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    ids = request.path_params
    listing, of_page, names, prices = await asyncio.gather(
        ask(request, "GET", LISTING),
        of_seller(request),
        category_names(request),
        ask(request, "GET", f"{LISTING}/prices"),
    )
    variants, stock = await asyncio.gather(
        read_variants(request, listing),
        read_stock(request, [ids["product_id"]]),
    )
    typed = (entered or Form()).of("listing")
    category = typed.text("category") or listing["category"]
    return form_page(
        request,
        "seller/listing.html",
        MESSAGES,
        problem,
        entered,
        routes={"listing": ("PUT", LISTING)},
        listing=listing,
        is_owner=listing["owner_id"] == ids["seller_id"],
        variants=variants,
        stock=stock and stock.get(ids["product_id"]),
        prices=prices[:SHOWN_PRICES],
        statuses=STATUSES,
        tones=TONES,
        block_reasons=BLOCK_REASONS,
        category=category,
        **_form_parts(typed, names, listing, category, listing["currency"]),
        **of_page,
    )


def _form_parts(
    typed: Form, names: CategoryNames, values: dict[str, Any], category: str | None, currency: str
) -> dict[str, Any]:
    """Return what the fields of a product need, which both pages have."""
    return {
        "names": names,
        "values": values,
        "fields": listing_form.shown_attributes(typed, names, values.get("attributes") or {}, category),
        "conditions": CONDITIONS,
        "price": listing_form.plain_amount(values.get("price_minor"), currency),
        "pictures": listing_form.pictures(typed) if typed.fields else values.get("pictures") or [],
        "max_pictures": MAX_PICTURES,
    }


async def read_variants(request: Request, listing: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the seller's variants of the product of a listing; none if it has no variants."""
    if not listing["group_id"]:
        return []
    group = {"group_id": listing["group_id"], "limit": SHOWN_VARIANTS}
    found: list[dict[str, Any]] = (await ask(request, "GET", LISTINGS, query=group))["listings"]
    return found
