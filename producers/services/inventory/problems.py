"""Error responses of the stock endpoints."""

from common.problems import Problem


class UnknownStock(Problem):
    """The stock of this product was never set."""

    status, kind, title = 404, "unknown-product", "Unknown product"

    def __init__(self, product_id: str, seller_id: str | None) -> None:
        of_seller = f" of seller {seller_id!r}" if seller_id else ""
        super().__init__(
            f"There is no stock of product {product_id!r}{of_seller}. "
            f"Set it with PUT /v1/products/{product_id}/stock."
        )


class NotListed(Problem):
    """The seller does not list the product."""

    status, kind, title = 422, "not-listed", "The product is not listed"

    def __init__(self, product_id: str, seller_id: str) -> None:
        super().__init__(
            f"Seller {seller_id!r} does not list product {product_id!r}, so its stock can't grow. List it "
            "first (event product_listed). If the listing is new, wait a moment and send the same request "
            "again. Nothing was changed."
        )


class HeldForOrders(Problem):
    """The new count is less than the units that are held for orders."""

    status, kind, title = 409, "held-for-orders", "Units are held for orders"

    def __init__(self, product_id: str, reserved: int) -> None:
        super().__init__(
            f"{reserved} units of product {product_id!r} are held for orders that are being paid: set at "
            "least that many on hand, or wait until they are sold or released. Nothing was changed."
        )


class DuplicateProduct(Problem):
    """A list sets one product of one seller twice."""

    status, kind, title = 422, "said-twice", "A product occurs twice"

    def __init__(self, product_id: str, seller_id: str) -> None:
        super().__init__(
            f"The list contains product {product_id!r} of seller {seller_id!r} twice. Send it once. Nothing "
            "was changed."
        )
