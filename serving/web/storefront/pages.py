"""The routes under `/shop` for home, products, orders, and the session of a visitor."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from common.access_policy import allow, anyone
from common.guarded_route import policy
from common.ids import Id
from serving.commerce.commerce_client import CommerceClient
from serving.commerce.routes import CommerceDep
from serving.gateway.gateway import identity_of, renewal
from serving.kit.cache.keys import product_tags, similar_tags
from serving.kit.cached_responses import CachedResponderDep
from serving.kit.domain import opened
from serving.kit.http_caching import PRIVATE_NO_STORE
from serving.kit.parameters import ProductId
from serving.kit.problems import CommerceUnavailable
from serving.kit.product_cards import read_known_cards
from serving.products.endpoints import ProductsDep
from serving.products.service import ProductsService
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.endpoints import (
    Exclude,
    ListingCursor,
    ListingsDep,
    excluded_products,
    known_visitor,
    personal_page,
)
from serving.recommendations.service import Context
from serving.web.account.named_rows import order_rows
from serving.web.policy import ANYBODY, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.listings import CONDITIONS
from serving.web.storefront import cart, reviews
from serving.web.storefront.order_tracking import sellers_parts, track
from serving.web.storefront.recommendation_rows import (
    ROW_LENGTH,
    followed_or_none,
    recommended,
    sellers_to_follow,
    similar,
    titled_rows,
)
from serving.web.storefront.search import PRODUCTS_PER_PAGE, SearchFormDep, known_categories
from serving.web.storefront.search import router as search_router
from serving.web.storefront.variants import variant_links
from serving.web.storefront.visit import Session, page, set_session_cookie

ORDERS_SHOWN = 20
"""The number of an account's orders on the page of orders. The account has all of them."""

OWN_ORDER = allow("guest", "shopper", "admin", "platform", traffic="page")

CHANGE_AFTER_ORDER = allow("guest", "shopper", traffic="write")

router = page_router(ANYBODY, "/shop")

ROUTERS: tuple[APIRouter, ...] = (cart.router, router, search_router, reviews.router)
"""All routes of the pages of the shop."""


@router.get("")
async def home(
    request: Request, products: ProductsDep, respond: CachedResponderDep, session: Session
) -> Response:
    """Return the home page: recommendations, rows whose titles say why, sellers, and all categories."""
    found, recommendation, followed = await asyncio.gather(
        known_categories(products, respond), recommended(request, session, "home"), followed_or_none(request)
    )
    items = recommendation["items"] if recommendation else []
    shown = [item["product_id"] for item in items]
    rows, sellers = await asyncio.gather(
        titled_rows(request, session, "home", shown, followed or frozenset()),
        sellers_to_follow(request, session, followed),
    )
    # Without a sale there are no popular products to recommend. Then the page shows the newest products.
    newest = [] if items else (await products.find("", "", "newest", None, ROW_LENGTH["home"]))["products"]
    return page(
        request,
        session,
        "home.html",
        categories=found,
        recommendation=recommendation,
        newest=newest,
        rows=rows,
        sellers_to_follow=sellers,
        signed_in=identity_of(request).signed_in is not None,
        surface="home",
    )


@router.get("/recommended")
@policy(anyone("recommendation"))
async def row(
    request: Request,
    session: Session,
    surface: Context = "home",
    product_id: Id | None = None,
    exclude: Exclude = "",
) -> Response:
    """Return only the row of recommendations, without products that other rows of the page show."""
    shown = excluded_products(exclude)
    recommendation = await recommended(request, session, surface, product_id, shown)
    return page(request, session, "_recommendation_row.html", recommendation=recommendation, surface=surface)


@search_router.get("/found")
async def personal_listing(
    request: Request,
    products: ProductsDep,
    respond: CachedResponderDep,
    listings: ListingsDep,
    session: Session,
    search: SearchFormDep,
    cursor: ListingCursor | None = None,
) -> Response:
    """Return the products of a listing in the visitor's order; with a cursor, only those that follow.

    Without a history, the public page has the order of everybody already: the response is empty (204).
    """
    visitor = identity_of(request).visitor_id(session)
    unchanged = Response(status_code=204, headers={"Cache-Control": PRIVATE_NO_STORE})
    filters = replace(search.filters(products.currency), category=search.category)
    known = await known_visitor(request, listings, visitor, search.category)
    if known is None and not cursor:
        return unchanged
    found = await personal_page(
        products, respond, listings, known, search.q, filters, cursor, PRODUCTS_PER_PAGE
    )
    if not found["personalised"] and not cursor:
        return unchanged
    more = search.personal_link(cursor=found["next_cursor"]) if found["next_cursor"] else None
    template = "_product_cards.html" if cursor else "_personal_listing.html"
    return page(request, session, template, page=found, more=more, search=search)


@router.get("/products/{product_id}")
async def product(
    request: Request, products: ProductsDep, respond: CachedResponderDep, product_id: ProductId
) -> Response:
    """Return the page of a product, with similar products. Its script fetches the recommendations."""
    pages = opened(request, PageRenderer)

    async def render() -> tuple[bytes, set[str]]:
        found, similar_products = await asyncio.gather(
            products.product(product_id), similar(request, product_id)
        )
        tags = product_tags(found) | (similar_tags(similar_products) if similar_products else set())
        html = pages.render(
            "shop/product.html",
            product=found,
            similar=similar_products,
            crumbs=pages.categories.names.path(found["category"]),
            variants=variant_links(product_id, found["variants"]),
            conditions=CONDITIONS,
        )
        return html, tags

    recommendations = opened(request, RecommendationsDomain).service
    parts = (pages.cache_version, product_id, recommendations.rules.digest())
    return await respond.page("product_page", parts, render)


@router.get("/orders")
async def orders(
    request: Request, products: ProductsDep, commerce: CommerceDep, session: Session
) -> Response:
    """Return the page of the visitor's orders: the newest of their account or guest session, with a status.

    The browser stores the ids of its own. Without the commerce services, the page has these.
    """
    if redirect := renewal(request):
        return redirect
    identity = identity_of(request)
    signed_in = identity.signed_in is not None
    has_orders = signed_in or identity.session_id is not None
    found = await _own_orders(request, products, commerce) if has_orders else None
    return page(request, session, "orders.html", signed_in=signed_in, own_orders=found)


@router.get("/orders/{order_id}")
@policy(OWN_ORDER)
async def order(
    request: Request, products: ProductsDep, commerce: CommerceDep, session: Session, order_id: str
) -> Response:
    """Return the page on which a shopper follows an order, with what goes with it unless it was cancelled."""
    if redirect := renewal(request):
        return redirect
    found = await _order(request, products, commerce, order_id)
    ordered = [line["product_id"] for line in found["order"]["lines"]]
    is_cancelled = found["order"]["status"] == "cancelled"
    rows = [] if is_cancelled else await titled_rows(request, session, "order", ordered)
    return page(request, session, "order.html", rows=rows, **found)


@router.post("/orders/{order_id}/again")
@policy(CHANGE_AFTER_ORDER)
async def order_again(
    request: Request, products: ProductsDep, commerce: CommerceDep, session: Session, order_id: str
) -> Response:
    """Put what was ordered into the cart again, as far as it is for sale, and show the cart."""
    found = await commerce.order(request, order_id)
    return await cart.put_again(request, products, session, found["lines"])


@router.get("/orders/{order_id}/state")
@policy(OWN_ORDER)
async def order_state(
    request: Request, products: ProductsDep, commerce: CommerceDep, session: Session, order_id: str
) -> Response:
    """Return only the part of an order's page that changes."""
    return page(
        request, session, "_order_progress.html", **await _order(request, products, commerce, order_id)
    )


async def _own_orders(
    request: Request, products: ProductsService, commerce: CommerceClient
) -> dict[str, Any] | None:
    """Return the newest orders of the person or the guest; None if they can't be loaded."""
    try:
        answer = await commerce.call(request, "GET", f"/v1/orders?limit={ORDERS_SHOWN}")
    except CommerceUnavailable:
        return None
    if not answer.is_success:
        return None
    rows = await order_rows(answer.content["orders"], products.names)
    return {"rows": rows, "has_more": answer.content["next_cursor"] is not None}


async def _order(
    request: Request, products: ProductsService, commerce: CommerceClient, order_id: str
) -> dict[str, Any]:
    found = await commerce.order(request, order_id)
    cards = await read_known_cards(products.versions, [line["product_id"] for line in found["lines"]])
    names = await products.names.of_sellers(line["seller_id"] for line in found["lines"])
    parcels: dict[str, list[Any]] = {}
    for line in found["lines"]:
        parcels.setdefault(line["seller_id"], []).append({**line, "card": cards.get(line["product_id"])})
    return {
        "order": found,
        "tracking": track(found),
        "parcels": parcels,
        "parts": sellers_parts(found),
        "sellers": names,
        "signed_in": identity_of(request).signed_in is not None,
        "discount_minor": sum(
            line["discount_minor"] + (line["marketplace_minor"] or 0) for line in found["lines"]
        ),
    }


@router.get("/visitor")
async def visitor(request: Request, session: Session) -> Response:
    """Return the session id of the cookie, and set the cookie. A new visitor gets a new session."""
    response = set_session_cookie(
        request, Response(orjson.dumps({"session": session}), media_type="application/json"), session
    )
    response.headers["Cache-Control"] = PRIVATE_NO_STORE
    return response
