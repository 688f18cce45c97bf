"""The visitor's cart: its page, and the forms that change it. The service `carts` keeps it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from common.access_policy import anyone
from common.guarded_route import policy
from common.principal import Principal, guest
from common.problems import Problem
from common.request_path import in_path
from producers.services.carts.model import MAX_UNITS, UNKNOWN_OFFER
from serving.gateway.gateway import identity_of, renewal
from serving.gateway.sign_in_redirect import resend_address
from serving.kit.parameters import ProductId
from serving.kit.problems import CommerceUnavailable
from serving.kit.product_cards import read_known_cards
from serving.products.endpoints import ProductsDep
from serving.products.service import ProductsService
from serving.web.forms import (
    NO_STORE,
    BadField,
    Change,
    Form,
    action,
    confirmation,
    form_page,
    read_form,
)
from serving.web.policy import page_router
from serving.web.service_calls import Refusal, ask
from serving.web.storefront.recommendation_rows import titled_rows
from serving.web.storefront.visit import Session, set_cart_cookie, set_session_cookie
from serving.web.texts import problem_text
from serving.web.translation import N_, gettext

READ = anyone("page", refused_like="write")
"""On the way to the checkout: refused later than other pages."""

CHANGE = anyone("write")

PAGE = "/shop/cart"

MESSAGES: Mapping[str, str] = {
    "added": N_("It is in your cart."),
    "changed": N_("Your cart is changed."),
    "saved": N_("It is saved for later, further below."),
    "again": N_("What you ordered is in your cart again."),
    "some": N_("What is still for sale of your order is in your cart again."),
    "none": N_("Nothing of this order is for sale any more."),
    "code_added": N_("The voucher is in your cart. Beside your order is what it saves."),
    "code_removed": N_("The voucher is removed."),
}

FLAWS: Mapping[str, str] = {
    "unknown": N_("There is no voucher with this code."),
    "other_currency": N_("It is for another currency."),
    "not_started": N_("It can't be used yet."),
    "ended": N_("It has ended."),
    "not_for_these": N_("It is not for what is in your cart."),
    "below_minimum": N_("Your order is below its minimum."),
    "not_first_order": N_("It is for a first order only."),
    "used_up": N_("It was used as often as it can be."),
    "used_by_you": N_("You have used it as often as you can."),
    "no_gain": N_("Another voucher saves more."),
}
"""Why the code of a voucher has no effect (`VoucherOutcome.problem`)."""

router = page_router(READ, PAGE)


@router.get("")
async def cart_page(request: Request, products: ProductsDep, session: Session) -> Response:
    """Return the page of the cart at current prices, by seller, with what prevents a checkout."""
    return renewal(request) or await _page(request, None, products=products, session=session)


@router.get("/state")
async def cart_state(request: Request, session: Session) -> Response:
    """Say in the cookie what is in the cart now: it may have been changed on another device."""
    response = Response(status_code=204, headers=NO_STORE)
    if identity_of(request).can_refresh:
        return response  # the cart of the person is not known before their session is renewed
    _tell(request, response, await ask(request, "GET", "/v1/cart", sender=_sender(request, session)))
    return set_session_cookie(request, response, session)


@router.post("/lines")
@policy(CHANGE)
async def add_to_cart(request: Request, products: ProductsDep, session: Session) -> Response:
    """Put units of a product into the cart. With the same `Idempotency-Key`, they come into it once."""

    async def add(form: Form) -> Response:
        texts = {name: form.text(name) for name in ("product_id", "seller_id", "recommendation_id")}
        body: dict[str, Any] = {name: text for name, text in texts.items() if text}
        body["quantity"] = form.whole("quantity", gettext("Quantity"))
        key = request.headers.get("idempotency-key")
        return await _changed(request, session, "POST", "/v1/cart/lines", "added", body, key)

    return await _action(request, add, products, session)


@router.post("/lines/{product_id}")
@policy(CHANGE)
async def change_line(
    request: Request, products: ProductsDep, session: Session, product_id: ProductId
) -> Response:
    """Do what the pressed button of a line says: one unit less or more, save it, put it back, remove it.

    A unit less or more counts from what is in the cart now, which another device may have changed.
    """
    line = "/v1/cart/lines/{product_id}"

    async def change(form: Form) -> Response:
        body: dict[str, Any] = {"is_price_seen": bool(form.text("is_price_seen"))}
        done = "changed"
        match form.text("change"):
            case "less" | "more" as step:
                cart = await ask(request, "GET", "/v1/cart", sender=_sender(request, session))
                body["quantity"] = _units(cart).get(product_id, 1) + (1 if step == "more" else -1)
                if body["quantity"] < 1:
                    return await _changed(request, session, "DELETE", line, done)
                if body["quantity"] > MAX_UNITS:
                    raise BadField(
                        gettext("A cart takes up to %(units)s units of a product.", units=MAX_UNITS)
                    )
            case "remove":
                return await _changed(request, session, "DELETE", line, done)
            case "save":
                body["is_saved"], done = True, "saved"
            case "restore":
                body["is_saved"], done = False, "added"
            case _:
                raise BadField(gettext("Press one of the buttons of the line."))
        return await _changed(request, session, "PUT", line, done, body)

    return await _action(request, change, products, session)


@router.post("/vouchers")
@policy(CHANGE)
async def change_vouchers(request: Request, products: ProductsDep, session: Session) -> Response:
    """Keep the code of a voucher in the cart, unless there is none with this code, or remove one."""

    def path(code: str) -> str:
        return f"/v1/cart/vouchers/{in_path(code)}"

    async def change(form: Form) -> Response:
        if code := form.text("remove"):
            return await _changed(request, session, "DELETE", path(code), "code_removed")
        if not (code := form.text("code").strip()):
            raise BadField(gettext("Enter the code of a voucher."))
        sender = _sender(request, session)
        cart = await ask(request, "GET", "/v1/cart", sender=sender)
        if quote := await _quote(request, session, {**cart, "voucher_codes": [code]}):
            flaw = next((each["problem"] for each in quote["vouchers"] if each["code"]), None)
            if flaw == "unknown":
                raise BadField(gettext(FLAWS[flaw]))
        return await _changed(request, session, "PUT", path(code), "code_added", {})

    return await _action(request, change, products, session)


async def put_again(
    request: Request, products: ProductsService, session: str, lines: Sequence[Mapping[str, Any]]
) -> Response:
    """Put the lines of an order into the cart again, as far as they are for sale.

    A product that is in the cart already has as many units as the order, at least.
    """

    async def add(_: Form) -> Response:
        sender = _sender(request, session)
        cart = await ask(request, "GET", "/v1/cart", sender=sender)
        in_cart = _units(cart)
        wanted: dict[str, dict[str, Any]] = {}
        for line in lines:
            known = wanted.setdefault(line["product_id"], {"seller_id": line["seller_id"], "quantity": 0})
            known["quantity"] += line["quantity"]
        gone = 0
        for product_id, line in wanted.items():
            missing = min(line["quantity"], MAX_UNITS) - in_cart.get(product_id, 0)
            if missing <= 0:
                continue
            body = {"product_id": product_id, "quantity": missing, "seller_id": line["seller_id"]}
            try:
                cart = await ask(request, "POST", "/v1/cart/lines", body, sender=sender)
            except Refusal as problem:
                if problem.kind != UNKNOWN_OFFER.kind:
                    raise
                gone += 1
        done = "again" if not gone else "none" if gone == len(wanted) else "some"
        return _confirmed(request, session, cart, done)

    return await _action(request, add, products, session)


async def _action(request: Request, change: Change, products: ProductsService, session: str) -> Response:
    """Change the cart by a form. A page's answer is a page; a script's is empty (204), or a problem."""
    if identity_of(request).can_refresh:  # it is the cart of a person, not of the guest they were
        return RedirectResponse(resend_address(request), 307, NO_STORE)
    if "text/html" not in request.headers.get("accept", ""):
        return await _answer_script(request, change)

    async def shown(request: Request, problem: Problem | None, _: Form | None) -> Response:
        return await _page(request, problem, products=products, session=session)

    return await action(request, change, shown, PAGE, "changed")


async def _answer_script(request: Request, change: Change) -> Response:
    try:
        response = await change(await read_form(request))
    except Refusal as problem:  # in the language of the page
        problem.args = (problem_text(problem.kind, str(problem)),)
        raise
    assert isinstance(response, Response)
    response.status_code = 204
    del response.headers["location"]
    return response


async def _changed(
    request: Request,
    session: str,
    method: str,
    path: str,
    done: str,
    body: Any = None,
    key: str | None = None,
) -> Response:
    """Change the cart, and return to its page."""
    cart = await ask(request, method, path, body, sender=_sender(request, session), idempotency_key=key)
    return _confirmed(request, session, cart, done)


def _confirmed(request: Request, session: str, cart: Mapping[str, Any], done: str) -> Response:
    response = confirmation(PAGE, done)
    _tell(request, response, cart)
    return set_session_cookie(request, response, session)


async def _page(
    request: Request, problem: Problem | None, *, products: ProductsService, session: str
) -> Response:
    cart = await ask(request, "GET", "/v1/cart", sender=_sender(request, session))
    shown = _lines(cart) + cart["saved"]
    quote = await _quote_or_none(request, session, cart)
    cards = await read_known_cards(products.versions, [line["product_id"] for line in shown])
    names = await products.names.of_sellers(line["seller_id"] for line in shown)
    in_cart = _newest(cart)
    response = form_page(
        request,
        "shop/cart.html",
        MESSAGES,
        problem,
        session=session,
        cart=cart,
        quote=quote,
        of_code={each["code"]: each for each in quote["vouchers"]} if quote else {},
        flaws=FLAWS,
        cards=cards,
        sellers=names,
        rows=await titled_rows(request, session, "cart", cart=in_cart) if in_cart else [],
    )
    _tell(request, response, cart)
    return set_session_cookie(request, response, session)


async def _quote(request: Request, session: str, cart: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what an order of the cart would cost, with its vouchers; None if it can't be bought.

    Raises:
        Refusal: too many codes were guessed, or a product or price has just changed.
        CommerceUnavailable: orders does not answer.
    """
    if not cart["can_be_bought"]:
        return None
    lines = [{name: line[name] for name in ("product_id", "seller_id", "quantity")} for line in _lines(cart)]
    body = {"currency": cart["currency"], "lines": lines, "voucher_codes": cart["voucher_codes"]}
    quote: Mapping[str, Any] = await ask(
        request, "POST", "/v1/orders/quotes", body, sender=_sender(request, session)
    )
    return quote


async def _quote_or_none(request: Request, session: str, cart: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what an order of the cart would cost; None if that can't be said now."""
    try:
        return await _quote(request, session, cart)
    except (Refusal, CommerceUnavailable):
        return None


def _sender(request: Request, session: str) -> Principal | None:
    """Return the guest of a new session; None for a visitor whom the request names itself."""
    return guest(session) if identity_of(request).principal is None else None


def _lines(cart: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [line for parcel in cart["parcels"] for line in parcel["lines"]]


def _units(cart: Mapping[str, Any]) -> dict[str, int]:
    """Return product → units in a cart."""
    return {line["product_id"]: line["quantity"] for line in _lines(cart)}


def _newest(cart: Mapping[str, Any]) -> list[str]:
    """Return the products in a cart, the newest first."""
    return [one["product_id"] for one in sorted(_lines(cart), key=lambda one: one["added_at"], reverse=True)]


def _tell(request: Request, response: Response, cart: Mapping[str, Any]) -> None:
    set_cart_cookie(request, response, sum(_units(cart).values()), _newest(cart))
