"""Why points are not shown."""

from common.problems import Problem


class NoPoints(Problem):
    """Nobody of this id ever paid for anything."""

    status, kind, title = 404, "no-points", "No points"

    def __init__(self, shopper_id: str) -> None:
        super().__init__(f"Shopper {shopper_id!r} has earned nothing yet. A paid order earns points.")
