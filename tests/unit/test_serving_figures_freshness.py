"""When figures count as catching up."""

import pytest

from serving.analytics.endpoints import LIVE_TABLES
from serving.ops.figures_freshness import CURRENT_WITHIN_S, is_catching_up, readers_of

OLD = CURRENT_WITHIN_S + 1


@pytest.mark.parametrize(
    ("behind_s", "messages_behind", "catching_up"),
    [
        (OLD, 5, True),
        (None, 5, True),
        (OLD, 0, False),
        (None, 0, False),
        (OLD, None, False),
        (CURRENT_WITHIN_S, 5, False),
    ],
)
def test_figures_catch_up_while_they_are_old_and_messages_wait_to_be_counted(
    behind_s: float | None, messages_behind: int | None, catching_up: bool
) -> None:
    assert is_catching_up(behind_s, messages_behind) is catching_up


def test_the_messages_that_count_are_those_that_feed_figures() -> None:
    topics = readers_of(LIVE_TABLES)["facts"]
    assert {"order_placed", "order_cancelled", "payment_captured"} <= set(topics)
    assert "product_viewed" not in topics
