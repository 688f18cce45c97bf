"""When a visitor's last visit ended."""

import pytest

from serving.recommendations.recent_offers import VISIT_GAP_S, last_visit_end
from serving.recommendations.visitor_history import VisitorHistory

NOW_S = 1_800_000_000.0
MINUTE_S, DAY_S = 60.0, 86_400.0


@pytest.mark.parametrize(("ages_s", "ended"), [
    ([], None),
    ([MINUTE_S, 20 * MINUTE_S], None),
    ([DAY_S], DAY_S),
    ([MINUTE_S, 20 * MINUTE_S, DAY_S, 2 * DAY_S], DAY_S),
    ([VISIT_GAP_S], None),
    ([VISIT_GAP_S + 1], VISIT_GAP_S + 1),
])  # fmt: skip
def test_visits_are_separated_by_half_an_hour(ages_s: list[float], ended: float | None) -> None:
    viewed = {f"p{age}": NOW_S - age for age in ages_s}
    end = last_visit_end(VisitorHistory(viewed, {}, {}, None), NOW_S)
    assert end == (None if ended is None else NOW_S - ended)


def test_a_purchase_or_a_cart_belongs_to_a_visit_as_a_view_does() -> None:
    visitor = VisitorHistory({"a": NOW_S}, {"b": NOW_S - 25 * MINUTE_S}, {"c": NOW_S - 50 * MINUTE_S}, None)
    assert last_visit_end(visitor, NOW_S) is None
