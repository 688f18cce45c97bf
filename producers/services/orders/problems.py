"""Error responses of the order endpoints."""

from common.problems import problem

UNKNOWN_ORDER = problem(
    404,
    "unknown-order",
    "Unknown order",
    "No order has the id {order_id!r}. Use the header `Location` of the response to POST /v1/orders.",
)
UNKNOWN_PRODUCT = problem(
    422,
    "unknown-product",
    "Unknown product",
    "Line {line}: product {product_id!r} is not for sale {by_seller}(unknown, or no longer listed). Remove "
    "it and send the order again with a new Idempotency-Key.",
)
OTHER_CURRENCY = problem(
    422,
    "other-currency",
    "Another currency",
    "Line {line}: product {product_id!r} is sold in {sold_in}, but the order is in {currency}. Order it in "
    "{sold_in}.",
)
PRICE_MOVED = problem(
    409,
    "price-moved",
    "The price has moved",
    "Line {line}: product {product_id!r} now costs {price_minor} minor units of {currency}. Show the new "
    "price to the shopper, and send the order again with it and a new Idempotency-Key.",
)
TOTAL_MOVED = problem(
    409,
    "price-moved",
    "The price has moved",
    "The order now costs {amount_minor} minor units of {currency}. Show this to the shopper, and send the "
    "order again with it and a new Idempotency-Key.",
    members={"amount_minor": "amount_minor"},
)
NOT_FREE = problem(
    409, "not-free", "The order has to be paid", "Order {order_id} costs something: its payment confirms it."
)
BAD_IDEMPOTENCY_KEY = problem(
    400,
    "idempotency-key",
    "An Idempotency-Key is needed",
    "Send the header Idempotency-Key: 1 to 255 printable ASCII characters, such as a UUID. Create a new key "
    "for each checkout, and send the same key with every retry.",
)
KEY_REUSED = problem(
    409,
    "idempotency-key-reused",
    "This Idempotency-Key was used for another order",
    "This Idempotency-Key was used with another body. Retry with the same body, or use a new key for a new "
    "order.",
)
TOO_LATE_TO_CANCEL = problem(
    409,
    "too-late-to-cancel",
    "Too late to cancel",
    "The order is {status} already. Return it once it has arrived.",
)
PARTLY_RETURNED = problem(
    409,
    "too-late-to-cancel",
    "Too late to cancel",
    "Part of the order was returned already. Return the rest of it instead.",
)
