"""Why stock is not set, or not shown."""

from common.problems import Problem


class UnknownStock(Problem):
    """Nobody ever set the stock of this product."""

    status, kind, title = 404, "unknown-product", "Unknown product"

    def __init__(self, product_id: str, seller_id: str | None) -> None:
        sold = f" of seller {seller_id!r}" if seller_id else ""
        super().__init__(
            f"There is no stock of product {product_id!r}{sold}. "
            f"Set it with PUT /v1/products/{product_id}/stock."
        )


class HeldForOrders(Problem):
    """Less would be on hand than is held for orders."""

    status, kind, title = 409, "held-for-orders", "Units are held for orders"

    def __init__(self, product_id: str, reserved: int) -> None:
        super().__init__(
            f"{reserved} units of product {product_id!r} are held for orders that are being paid: set at "
            "least that many on hand, or wait until they are sold or released. Nothing was changed."
        )


class SaidTwice(Problem):
    """A list sets one product of one seller twice."""

    status, kind, title = 422, "said-twice", "A product is there twice"

    def __init__(self, product_id: str, seller_id: str) -> None:
        super().__init__(
            f"Product {product_id!r} of seller {seller_id!r} is in the list twice. Send it once; nothing was "
            "changed."
        )
