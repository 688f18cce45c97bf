"""The problems of the loyalty service."""

from common.problems import Problem


class NoPoints(Problem):
    """No shopper with this id ever paid for an order."""

    status, kind, title = 404, "no-points", "No points"

    def __init__(self, shopper_id: str) -> None:
        super().__init__(f"Shopper {shopper_id!r} has earned nothing yet. A paid order earns points.")
