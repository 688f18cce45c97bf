"""`/v1/cart`: the cart of the sender, a guest or a person, on all of their devices."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from common.access_policy import allow
from common.guarded_route import policy
from common.ids import Id, VoucherCode
from common.openapi import openapi_problem
from producers.kit.http.endpoint import settings_of, transaction, transactions
from producers.kit.http.guard import principal_of, session_of, shopper_of
from producers.kit.http.problems import require
from producers.kit.http.routes import PLATFORM, JsonBody, PublicRoute, ServiceRoute
from producers.kit.http.strict_request import ExportRequest
from producers.kit.outbox.transaction import Transaction
from producers.services.carts import store
from producers.services.carts.model import (
    UNKNOWN_CART_LINE,
    UNKNOWN_OFFER,
    AddRequest,
    Cart,
    CartExport,
    CartRequest,
    LineRequest,
    Lines,
    StoredCart,
    added,
    altered,
    choose_offer,
    priced,
    with_code,
)

NAME = "carts"

READ_OWN = allow("guest", "shopper", traffic="read")
CHANGE_OWN = allow("guest", "shopper", "platform", traffic="write")

EXAMPLE_ADDITION = {"product_id": "product-000001", "quantity": 1}
NOT_FOR_SALE = openapi_problem(422, "The product is not for sale, or a field can't be used.")
FULL = openapi_problem(409, "The cart is full, or the line would have too many units.")
TOO_MANY = openapi_problem(409, "The cart has as many codes as an order can have.")
NO_LINE = openapi_problem(404, "The product is not in the cart.")

ProductPath = Annotated[Id, Path(description="The product's id.", examples=["product-000001"])]
Shopper = Annotated[Id | None, Query(description="Only for processes of the platform.")]

Visit = Annotated[Id | None, Query(description="The visit, as in the body of a change.")]

CodePath = Annotated[VoucherCode, Path(description="The code of a voucher.", examples=["SUMMER-10"])]

ChangeCodes = Callable[[Sequence[str]], Sequence[str]]
"""Returns the voucher codes of a cart as they shall be."""

Change = Callable[[Transaction, Lines], Awaitable[Lines]]
"""Returns the lines of a cart as they shall be."""

public = APIRouter(prefix="/v1/cart", tags=["cart"], route_class=PublicRoute)
internal = APIRouter(prefix="/v1/cart", route_class=ServiceRoute)


@public.get("", summary="Your cart")
@policy(READ_OWN)
async def own_cart(request: Request) -> Cart:
    """Return the sender's cart at current prices, with what is wrong with each line.

    After a sign-in, it has what was put into carts as a guest. Prices and stock may be a moment old: the
    checkout compares the prices, and reserves the units.
    """
    owners = _owners(request, None)
    async with transactions(request, NAME).connection() as sql:
        carts = await store.find_carts(sql, owners)
        if all(each.shopper_id == owners[0] for each in carts):
            return await _priced(request, sql, carts[0] if carts else None)
    return await _change(request, CartRequest(), _nothing)


@public.post("/lines", summary="Put units into the cart", responses=NOT_FOR_SALE | FULL)
@policy(CHANGE_OWN)
async def add_line(request: Request, body: Annotated[AddRequest, JsonBody(EXAMPLE_ADDITION)]) -> Cart:
    """Add units of a product to those in the cart, and return the cart.

    A product is in the cart once. Adding it from another seller moves all of its units there; adding what is
    saved for later puts it back into the cart. With an `Idempotency-Key`, a repeated request adds once.
    """

    async def add(tx: Transaction, lines: Lines) -> Lines:
        currency = settings_of(request, NAME).shop_currency
        offers = await store.find_offers(tx, body.product_id)
        offer = choose_offer(offers, body.seller_id, currency)
        if body.seller_id is None and (line := lines.get(body.product_id)) is not None:
            offer = choose_offer(offers, line.seller_id, currency) or offer
        refusal = _unknown_offer(body.product_id, body.seller_id, currency)
        return added(lines, body, require(offer, refusal), tx.now)

    return await _change(request, body, add)


@public.put("/lines/{product_id}", summary="Change a line of the cart", responses=NOT_FOR_SALE | NO_LINE)
@policy(CHANGE_OWN)
async def change_line(
    request: Request, product_id: ProductPath, body: Annotated[LineRequest, JsonBody({"quantity": 2})]
) -> Cart:
    """Set the quantity of a line, move it to another seller, or save it for later; return the cart.

    `was_minor` stays until the shopper has seen the price (`is_price_seen`).
    """

    async def alter(tx: Transaction, lines: Lines) -> Lines:
        line = require(lines.get(product_id), UNKNOWN_CART_LINE(product_id=product_id))
        currency = settings_of(request, NAME).shop_currency
        offer = choose_offer(
            await store.find_offers(tx, product_id), body.seller_id or line.seller_id, currency
        )
        if body.seller_id not in (None, line.seller_id):
            require(offer, _unknown_offer(product_id, body.seller_id, currency))
        return {**lines, product_id: altered(line, body, offer, tx.now)}

    return await _change(request, body, alter)


@public.delete("/lines/{product_id}", summary="Remove a product from the cart")
@policy(CHANGE_OWN)
async def remove_line(
    request: Request, product_id: ProductPath, shopper_id: Shopper = None, session_id: Visit = None
) -> Cart:
    """Remove a product from the cart or from what is saved for later, if it is there; return the cart."""

    async def remove(_tx: Transaction, lines: Lines) -> Lines:
        return {each: line for each, line in lines.items() if each != product_id}

    return await _change(request, CartRequest(shopper_id=shopper_id, session_id=session_id), remove)


@public.put("/vouchers/{code}", summary="Enter a voucher code", responses=TOO_MANY)
@policy(CHANGE_OWN)
async def add_code(request: Request, code: CodePath, body: Annotated[CartRequest, JsonBody({})]) -> Cart:
    """Keep the code of a voucher in the cart, and return the cart.

    Whether a voucher has this code, and what it does, `POST /v1/orders/quotes` says. The codes leave the cart
    once an order with a voucher is confirmed.
    """
    return await _change(request, body, _nothing, lambda codes: with_code(codes, code))


@public.delete("/vouchers/{code}", summary="Remove a voucher code")
@policy(CHANGE_OWN)
async def remove_code(
    request: Request, code: CodePath, shopper_id: Shopper = None, session_id: Visit = None
) -> Cart:
    """Remove the code of a voucher from the cart, if it is there; return the cart."""
    asked = CartRequest(shopper_id=shopper_id, session_id=session_id)
    return await _change(request, asked, _nothing, lambda codes: [each for each in codes if each != code])


@internal.post("/exports")
@policy(PLATFORM)
async def export_cart(request: Request, body: Annotated[ExportRequest, JsonBody()]) -> CartExport:
    """All that a person has in the cart."""
    async with transactions(request, NAME).connection() as sql:
        carts = await store.find_carts(sql, body.shopper_ids)
        return {
            "cart": await store.export_lines(sql, body.shopper_ids),
            "voucher_codes": [code for cart in carts for code in cart.voucher_codes],
        }


router = APIRouter()
router.include_router(public)
router.include_router(internal)


def _owners(request: Request, named: str | None) -> tuple[str, ...]:
    """Return the shopper ids whose carts are one, the first of which has it.

    Raises:
        NOT_YOUR_SHOPPER: `named` is another shopper, or a process of the platform names none.
    """
    principal = principal_of(request)
    shopper_id = shopper_of(named, principal)
    return principal.shopper_ids or (shopper_id,)


async def _nothing(_tx: Transaction, lines: Lines) -> Lines:
    """Change nothing, besides merging carts."""
    return lines


def _same_codes(codes: Sequence[str]) -> Sequence[str]:
    return codes


async def _change(
    request: Request, asked: CartRequest, change: Change, change_codes: ChangeCodes = _same_codes
) -> Cart:
    """Open the sender's cart, change its lines or codes, and return it at current prices.

    No empty cart without codes is made.
    """
    principal, owners = principal_of(request), _owners(request, asked.shopper_id)
    named = session_of(asked.session_id, request)
    is_guest = "guest" in principal.roles or ("platform" in principal.roles and named == owners[0])
    session_id = owners[0] if is_guest else named
    async with transaction(request, NAME, session_id or owners[0]) as tx:
        cart, before = await store.open_cart(tx, owners, is_guest, session_id)
        after = await change(tx, before)
        codes = change_codes(cart.voucher_codes if cart else [])
        if cart is None and (after or codes):
            cart = store.new_cart(tx, owners[0], is_guest, session_id)
        if cart is not None:
            cart = await store.save(tx, cart, before, after, recommendation_id=asked.recommendation_id)
            cart = await store.save_codes(tx, cart, codes)
        return await _priced(request, tx, cart)


async def _priced(request: Request, sql: Any, cart: StoredCart | None) -> Cart:
    currency = settings_of(request, NAME).shop_currency
    lines = await store.find_priced(sql, cart.cart_id, currency) if cart else []
    return priced(cart, lines, currency)


def _unknown_offer(product_id: str, seller_id: str | None, currency: str) -> Exception:
    by_seller = f"by seller {seller_id!r} " if seller_id else ""
    return UNKNOWN_OFFER(product_id=product_id, by_seller=by_seller, currency=currency)
