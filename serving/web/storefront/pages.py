"""The addresses under `/shop`: home, listing, product, cart, order; and the tiles in the place of photos."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from common.problems import Problem
from serving.analytics.parameters import each_once
from serving.body import read_body
from serving.problems import BadBody
from serving.products import Cards
from serving.recommendations.service import Context
from serving.shop.catalogue import Catalogue
from serving.shop.commerce import Commerce
from serving.shop.endpoints import Category, Cursor, Order, ProductId, SearchText, Shelf
from serving.shop.gateway import Till
from serving.web.rendering import Pages
from serving.web.storefront.cart import MOST_LINES, CartKept, cart
from serving.web.storefront.shelves import SHOWN, recommended, similar
from serving.web.storefront.tracking import track
from serving.web.tiles import draw
from serving.web.visitor import remember, session_id

LISTED = 24
"""Products of a page of a listing."""

CART_LIMIT = 64 * 1024
"""Bytes of a cart."""

router = APIRouter(prefix="/shop", include_in_schema=False, dependencies=[Depends(each_once)])

Session = Annotated[str, Depends(session_id)]


class UnknownTile(Problem):
    """There is no drawing of this name."""

    status, kind, title = 404, "unknown-tile", "Unknown picture"


def _page(request: Request, session: str, template: str, **shown: Any) -> Response:
    pages: Pages = request.app.state.pages
    return remember(request, pages(f"shop/{template}", session=session, **shown), session)


@router.get("")
async def home(request: Request, shelf: Shelf, session: Session) -> Response:
    """What this visitor may like, and everything there is by category."""
    found, recommendation = await asyncio.gather(shelf.categories(), recommended(request, session, "home"))
    # A shop that has sold nothing yet has nothing popular to begin with.
    known = recommendation is not None and recommendation["items"]
    newest = [] if known else (await shelf.find("", "", "best", None, SHOWN["home"]))["products"]
    return _page(
        request,
        session,
        "home.html",
        categories=found["categories"],
        recommendation=recommendation,
        newest=newest,
        surface="home",
    )


@router.get("/recommended")
async def row(
    request: Request,
    session: Session,
    surface: Context = "home",
    product_id: Annotated[str | None, Query(max_length=128)] = None,
) -> Response:
    """The row of recommendations alone, as it is after the newest click."""
    recommendation = await recommended(request, session, surface, product_id)
    return _page(request, session, "_row.html", recommendation=recommendation, surface=surface)


@router.get("/products")
async def listing(
    request: Request,
    shelf: Shelf,
    session: Session,
    q: SearchText = "",
    category: Category = "",
    sort: Order = "best",
    cursor: Cursor | None = None,
) -> Response:
    """A search or a category, page by page; `cursor` gives the next products alone."""
    asked = {"q": q, "category": category, "sort": sort}
    page = await shelf.find(q, category, sort, cursor, LISTED)
    more = urlencode({**asked, "cursor": page["next_cursor"]}) if page["next_cursor"] else None
    shown = {"page": page, "more": more, "asked": asked}
    if cursor:
        return _page(request, session, "_products.html", **shown)
    categories = (await shelf.categories())["categories"]
    return _page(request, session, "listing.html", categories=categories, **shown)


@router.get("/products/{product_id}")
async def product(request: Request, shelf: Shelf, session: Session, product_id: ProductId) -> Response:
    """One product, what goes with it, and what else this visitor may like."""
    found, alike = await asyncio.gather(shelf.product(product_id), similar(request, product_id))
    return _page(request, session, "product.html", product=found, similar=alike)


@router.get("/cart")
async def cart_page(request: Request, session: Session) -> Response:
    """The cart, which the visitor's browser keeps; its lines are asked for by `cart.js`."""
    return _page(request, session, "cart.html", most=MOST_LINES)


@router.post("/cart")
async def cart_lines(request: Request, shelf: Shelf, session: Session) -> Response:
    """The lines of a cart at today's prices, by seller. Without Redis there are none to be had."""
    try:
        kept = CartKept.model_validate_json(await read_body(request, CART_LIMIT))
    except ValidationError as error:
        raise BadBody(f"The body is no cart: {error.errors()[0]['msg']}.") from error
    cards = await Cards(shelf.redis).read(line.product_id for line in kept.lines)
    names = await shelf.seller_names(card.seller_id for card in cards.values())
    now = cart(kept.lines, cards, names, shelf.currency)
    return _page(request, session, "_cart.html", cart=now)


@router.get("/orders")
async def orders(request: Request, session: Session) -> Response:
    """The orders of this browser, which remembers their ids."""
    return _page(request, session, "orders.html")


@router.get("/orders/{order_id}")
async def order(request: Request, shelf: Shelf, till: Till, session: Session, order_id: str) -> Response:
    """An order on its way."""
    return _page(request, session, "order.html", **await _order(shelf, till, order_id))


@router.get("/orders/{order_id}/state")
async def order_state(
    request: Request, shelf: Shelf, till: Till, session: Session, order_id: str
) -> Response:
    """How far it has come: the part of its page that changes."""
    return _page(request, session, "_order.html", **await _order(shelf, till, order_id))


@router.get("/tiles/{tile}.svg")
async def tile(tile: str) -> Response:
    """A product's picture, the same for ever."""
    drawn = draw(tile)
    if drawn is None:
        raise UnknownTile(f"There is no picture {tile!r}. The pages name those that there are.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(drawn, headers=headers, media_type="image/svg+xml")


async def _order(shelf: Catalogue, till: Commerce, order_id: str) -> dict[str, Any]:
    found = await till.order(order_id)
    cards = await shelf.cards(line["product_id"] for line in found["lines"])
    names = await shelf.seller_names(line["seller_id"] for line in found["lines"])
    parcels: dict[str, list[Any]] = {}
    for line in found["lines"]:
        parcels.setdefault(line["seller_id"], []).append({**line, "card": cards.get(line["product_id"])})
    return {"order": found, "tracking": track(found), "parcels": parcels, "sellers": names}
