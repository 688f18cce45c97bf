"""When a signal is raised: every threshold of job `signals`.

The queries name them as parameters (`{failures:INT}`). A change of a threshold changes the plan, so the job
starts again at the first event. Signals that were raised before stay.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class SignalRules:
    """The thresholds. All are whole numbers of at least 1.

    `payment_failures`: `failures` payments of one method, or orders of one seller, fail in a row, without a
    success between them, within `failure_hours`.

    No rule looks at events that happened more than `news_days` before they are read.

    `review_flood`: `reviews` reviews of a subject are published within `review_hours`, or as many as
    `low_reviews` with a score of at most `low_score`. The flood has ended when as many take longer than twice
    that time.

    `conversion_fall` and `cancellation_wave` compare a window of `window_hours` with the `windows_before`
    windows before it in which the seller had sessions or orders, all within `compared_days`.

    - A conversion has fallen if a window has at most one `fall_factor`-th of the orders that its sessions
      would have made before, and these are at least `expected_orders`. A session counts if it viewed at most
      `robot_products` products of the seller in the window.
    - Cancellations are a wave if they are at least `cancellations`, and at least `wave_factor` times as many
      as in an average window before.

    `stock_end`: the available units last for less than the lead time of a delivery, at the pace of the last
    `pace_days`, in which at least `units_sold` were sold. A product can get another signal after its stock
    lasted for `safe_percent` of the lead time.
    """

    failures: int = 5
    failure_hours: int = 24
    reviews: int = 10
    low_reviews: int = 5
    low_score: int = 2
    review_hours: int = 1
    window_hours: int = 6
    windows_before: int = 4
    compared_days: int = 7
    robot_products: int = 30
    expected_orders: int = 12
    fall_factor: int = 4
    cancellations: int = 6
    wave_factor: int = 4
    pace_days: int = 7
    units_sold: int = 5
    safe_percent: int = 150
    news_days: int = 8

    def __post_init__(self) -> None:
        """Check the thresholds.

        Raises:
            ValueError: a threshold is not a whole number of at least 1, or a pattern would be too short.
        """
        for name, value in asdict(self).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
        if min(self.failures, self.reviews, self.low_reviews) < 2:
            raise ValueError("failures, reviews and low_reviews must be at least 2")

    def parameters(self, lead_days: int) -> Mapping[str, int]:
        """Return the parameters of the queries; `lead_days` is how long a delivery takes."""
        return {
            **asdict(self),
            "lead_days": lead_days,
            "reviews_after_first": self.reviews - 1,
            "low_reviews_after_first": self.low_reviews - 1,
            "quiet_hours": 2 * self.review_hours,
        }


RULES = SignalRules()
"""The rules of the platform."""
