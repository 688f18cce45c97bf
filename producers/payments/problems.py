"""Why a payment is not found."""

from common.problems import Problem


class UnknownPayment(Problem):
    """There is no payment of this order, or not yet."""

    status, kind, title = 404, "unknown-payment", "Unknown payment"

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"No payment of an order {order_id!r} is known. A new order's is, within a moment of its placing."
        )
