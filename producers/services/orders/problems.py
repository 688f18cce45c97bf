"""Error responses of the order endpoints."""

from common.problems import Problem


class UnknownOrder(Problem):
    """There is no such order."""

    status, kind, title = 404, "unknown-order", "Unknown order"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"No order has the id {order_id!r}. Use the header `Location` of the response to POST /v1/orders."
        )


class NotYourShopper(Problem):
    """The order names a shopper other than the one who places it."""

    status, kind, title = 403, "not-your-shopper", "Another shopper"

    def __init__(self) -> None:
        super().__init__("`shopper_id` is not your own. Leave it out: an order is always the sender's own.")


class UnknownProduct(Problem):
    """The product is not for sale."""

    status, kind, title = 422, "unknown-product", "Unknown product"

    def __init__(self, line: int, product_id: str, seller_id: str | None) -> None:
        by_seller = f"by seller {seller_id!r} " if seller_id else ""
        super().__init__(
            f"Line {line}: product {product_id!r} is not for sale {by_seller}(unknown, or no longer listed). "
            "Remove it and send the order again with a new Idempotency-Key."
        )


class OtherCurrency(Problem):
    """The product is sold in a currency other than that of the order."""

    status, kind, title = 422, "other-currency", "Another currency"

    def __init__(self, line: int, product_id: str, sold_in: str, currency: str) -> None:
        super().__init__(
            f"Line {line}: product {product_id!r} is sold in {sold_in}, but the order is in {currency}. "
            f"Order it in {sold_in}."
        )


class PriceMoved(Problem):
    """The price is not the one that the shopper saw."""

    status, kind, title = 409, "price-moved", "The price has moved"

    def __init__(self, line: int, product_id: str, price_minor: int, currency: str) -> None:
        super().__init__(
            f"Line {line}: product {product_id!r} now costs {price_minor} minor units of {currency}. Show "
            "the new price to the shopper, and send the order again with it and a new Idempotency-Key."
        )


class BadIdempotencyKey(Problem):
    """The header is missing or is not a valid key."""

    status, kind, title = 400, "idempotency-key", "An Idempotency-Key is needed"

    def __init__(self) -> None:
        super().__init__(
            "Send the header Idempotency-Key: 1 to 255 printable ASCII characters, such as a UUID. Create a "
            "new key for each checkout, and send the same key with every retry."
        )


class KeyReused(Problem):
    """The key was used with another body."""

    status, kind, title = 409, "idempotency-key-reused", "This Idempotency-Key was used for another order"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used with another body. Retry with the same body, or use a new key "
            "for a new order."
        )


class TooLateToCancel(Problem):
    """Part of the order has been shipped or returned."""

    status, kind, title = 409, "too-late-to-cancel", "Too late to cancel"

    def __init__(self, status: str, has_returns: bool) -> None:
        super().__init__(
            "Part of the order was returned already. Return the rest of it instead."
            if has_returns
            else f"The order is {status} already. Return it once it has arrived."
        )
