"""Error responses of the stock endpoints."""

from common.problems import problem

UNKNOWN_STOCK = problem(
    404,
    "unknown-product",
    "Unknown product",
    "There is no stock of product {product_id!r}{of_seller}. Set it with PUT "
    "/v1/products/{product_id}/stock.",
)
NOT_LISTED = problem(
    422,
    "not-listed",
    "The product is not listed",
    "Seller {seller_id!r} does not list product {product_id!r}, so its stock can't grow. List it first "
    "(event product_listed). If the listing is new, wait a moment and send the same request again. Nothing "
    "was changed.",
)
HELD_FOR_ORDERS = problem(
    409,
    "held-for-orders",
    "Units are held for orders",
    "{reserved} units of product {product_id!r} are held for orders that are being paid: set at least that "
    "many on hand, or wait until they are sold or released. Nothing was changed.",
)
DUPLICATE_PRODUCT = problem(
    422,
    "said-twice",
    "A product occurs twice",
    "The list contains product {product_id!r} of seller {seller_id!r} twice. Send it once. Nothing was "
    "changed.",
)
