"""Who may open the pages of the shop: everybody. An order opens for who placed it."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow, anyone

_CART = anyone("page", refused_like="write")
"""On the way to the checkout: refused later than other pages."""

_OWN_ORDER = allow("guest", "shopper", "admin", "platform", traffic="page")

POLICIES: Mapping[str, AccessPolicy] = {
    "home": anyone("page"),
    "row": anyone("recommendation"),
    "listing": anyone("page"),
    "personal_listing": anyone("page"),
    "product": anyone("page"),
    "cart_page": _CART,
    "cart_lines": _CART,
    "cart_rows": anyone("recommendation"),
    "orders": anyone("page"),
    "order": _OWN_ORDER,
    "order_state": _OWN_ORDER,
    "visitor": anyone("page"),
}
