"""A visit of the shop's pages: its session, and a cookie that says what is in the visitor's cart."""

from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import Depends, Request
from starlette.responses import Response

from common.ids import is_id
from producers.kit.listings import MAX_ORDER_LINES
from serving.gateway import cookies
from serving.gateway.gateway import GatewayDomain, identity_of
from serving.kit.domain import opened
from serving.web.renderer import PageRenderer

CART_COOKIE_CHARS = 3_000
"""A browser refuses a cookie of more than 4,096 bytes."""


async def session_id(request: Request) -> str:
    """Return the session id of the cookie, or a new one."""
    return identity_of(request).session_id or opened(request, GatewayDomain).guests.new()


Session = Annotated[str, Depends(session_id)]


def set_session_cookie(request: Request, response: Response, session: str) -> Response:
    """Set the session cookie, and forbid shared caches to store the response."""
    cookies.set_session(request, response, opened(request, GatewayDomain).guests.sign(session))
    return response


def page(request: Request, session: str, template: str, **shown: Any) -> Response:
    """Return a page of the shop for one visitor."""
    pages = opened(request, PageRenderer)
    return set_session_cookie(request, pages(f"shop/{template}", session=session, **shown), session)


def set_cart_cookie(request: Request, response: Response, units: int, newest_products: Iterable[str]) -> None:
    """Say in a cookie how many units are in the cart, and as many of its newest products as a cookie holds.

    The cookie is like `3:lamp|atlas`; the products are percent-encoded. The service `carts` has the cart.
    Rows of recommendations leave out what is in the cookie, and scripts show the number of units on pages
    that are the same for everybody.
    """
    value, separator = f"{units}:", ""
    for product_id in newest_products:
        entry = separator + quote(product_id, safe="")
        if len(value) + len(entry) > CART_COOKIE_CHARS:
            break
        value, separator = value + entry, "|"
    cookies.set_cart(request, response, value)


def products_in_cart(request: Request) -> list[str]:
    """Return the products in the cookie, also in one of a version that wrote only products, and commas."""
    _, _, entries = request.cookies.get(cookies.CART, "").rpartition(":")
    found = [unquote(entry) for entry in entries.replace(",", "|").split("|")[:MAX_ORDER_LINES]]
    return [product_id for product_id in found if is_id(product_id)]
