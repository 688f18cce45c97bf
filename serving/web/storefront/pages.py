"""The routes under `/shop`: home, listing, product, cart, orders, and product pictures."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from common.problems import Problem
from serving.catalogue.endpoints import CatalogueDep, CategoryParam, Cursor, ProductId, SearchText, SortParam
from serving.catalogue.service import Catalogue
from serving.commerce.commerce_client import CommerceClient
from serving.commerce.gateway import CommerceDep
from serving.parameters import reject_repeated_parameters
from serving.problems import BadBody
from serving.recommendations.service import Context
from serving.request_body import read_body
from serving.web.product_images import draw
from serving.web.renderer import PageRenderer
from serving.web.session_cookie import session_id, set_session_cookie
from serving.web.storefront.cart import StoredCart, price_cart
from serving.web.storefront.order_tracking import track
from serving.web.storefront.recommendation_rows import ROW_LENGTH, recommended, similar

PRODUCTS_PER_PAGE = 24
"""The number of products on a page of a listing."""

CART_LIMIT = 64 * 1024
"""The largest body of a cart in bytes."""

router = APIRouter(
    prefix="/shop", include_in_schema=False, dependencies=[Depends(reject_repeated_parameters)]
)

Session = Annotated[str, Depends(session_id)]


class UnknownTile(Problem):
    """No tile has this name."""

    status, kind, title = 404, "unknown-tile", "Unknown picture"


def _page(request: Request, session: str, template: str, **shown: Any) -> Response:
    pages: PageRenderer = request.app.state.pages
    return set_session_cookie(request, pages(f"shop/{template}", session=session, **shown), session)


@router.get("")
async def home(request: Request, catalogue: CatalogueDep, session: Session) -> Response:
    """Return the home page: recommendations, and all categories."""
    found, recommendation = await asyncio.gather(
        catalogue.categories(), recommended(request, session, "home")
    )
    # Without a sale there are no popular products to recommend. Then the page shows the newest products.
    has_items = recommendation is not None and recommendation["items"]
    newest = [] if has_items else (await catalogue.find("", "", "best", None, ROW_LENGTH["home"]))["products"]
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
    """Return only the row of recommendations."""
    recommendation = await recommended(request, session, surface, product_id)
    return _page(request, session, "_recommendation_row.html", recommendation=recommendation, surface=surface)


@router.get("/products")
async def listing(
    request: Request,
    catalogue: CatalogueDep,
    session: Session,
    q: SearchText = "",
    category: CategoryParam = "",
    sort: SortParam = "best",
    cursor: Cursor | None = None,
) -> Response:
    """Return the page of a search or a category; with a cursor, only the products that follow."""
    search = {"q": q, "category": category, "sort": sort}
    page = await catalogue.find(q, category, sort, cursor, PRODUCTS_PER_PAGE)
    more = urlencode({**search, "cursor": page["next_cursor"]}) if page["next_cursor"] else None
    shown = {"page": page, "more": more, "search": search}
    if cursor:
        return _page(request, session, "_product_cards.html", **shown)
    categories = (await catalogue.categories())["categories"]
    return _page(request, session, "listing.html", categories=categories, **shown)


@router.get("/products/{product_id}")
async def product(
    request: Request, catalogue: CatalogueDep, session: Session, product_id: ProductId
) -> Response:
    """Return the page of a product, with similar products and recommendations."""
    found, similar_products = await asyncio.gather(
        catalogue.product(product_id), similar(request, product_id)
    )
    return _page(request, session, "product.html", product=found, similar=similar_products)


@router.get("/cart")
async def cart_page(request: Request, session: Session) -> Response:
    """Return the cart page. The browser stores the cart, and `cart-page.js` fetches its priced lines."""
    return _page(request, session, "cart.html")


@router.post("/cart")
async def cart_lines(request: Request, catalogue: CatalogueDep, session: Session) -> Response:
    """Return the lines of a cart at current prices, by seller. It needs Redis."""
    try:
        stored = StoredCart.model_validate_json(await read_body(request, CART_LIMIT))
    except ValidationError as error:
        raise BadBody(f"The body is not a cart: {error.errors()[0]['msg']}.") from error
    loader = await catalogue.card_loader()
    await loader.load(line.product_id for line in stored.lines)
    offers = {line.product_id: loader.offers(line.product_id) for line in stored.lines}
    names = await catalogue.seller_names(
        offer.seller_id for of_product in offers.values() for offer in of_product
    )
    cart = price_cart(stored.lines, offers, names, catalogue.currency)
    return _page(request, session, "_cart_contents.html", cart=cart)


@router.get("/orders")
async def orders(request: Request, session: Session) -> Response:
    """Return the page of this browser's orders. The browser stores their ids."""
    return _page(request, session, "orders.html")


@router.get("/orders/{order_id}")
async def order(
    request: Request, catalogue: CatalogueDep, commerce: CommerceDep, session: Session, order_id: str
) -> Response:
    """Return the page on which a shopper follows an order."""
    return _page(request, session, "order.html", **await _order(catalogue, commerce, order_id))


@router.get("/orders/{order_id}/state")
async def order_state(
    request: Request, catalogue: CatalogueDep, commerce: CommerceDep, session: Session, order_id: str
) -> Response:
    """Return only the part of an order's page that changes."""
    return _page(request, session, "_order_progress.html", **await _order(catalogue, commerce, order_id))


@router.get("/tiles/{tile}.svg")
async def tile(tile: str) -> Response:
    """Return the picture of a product."""
    drawn = draw(tile)
    if drawn is None:
        raise UnknownTile(f"There is no picture {tile!r}. The pages of the shop link to the existing ones.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(drawn, headers=headers, media_type="image/svg+xml")


async def _order(catalogue: Catalogue, commerce: CommerceClient, order_id: str) -> dict[str, Any]:
    found = await commerce.order(order_id)
    cards = await catalogue.cards(line["product_id"] for line in found["lines"])
    names = await catalogue.seller_names(line["seller_id"] for line in found["lines"])
    parcels: dict[str, list[Any]] = {}
    for line in found["lines"]:
        parcels.setdefault(line["seller_id"], []).append({**line, "card": cards.get(line["product_id"])})
    return {"order": found, "tracking": track(found), "parcels": parcels, "sellers": names}
