"""Error responses of the payment endpoint."""

from common.problems import Problem


class UnknownPayment(Problem):
    """There is no payment for this order, or not yet."""

    status, kind, title = 404, "unknown-payment", "Unknown payment"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"There is no payment for order {order_id!r}. If the order is new, try again in a moment."
        )
