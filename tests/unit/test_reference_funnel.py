"""The reference of the funnel: visits, and the steps that they reach."""

import itertools
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.reference.domains import FAMILIES
from audit.reference.funnel import BREAK_MS, Action, steps_after_view, visits
from audit.reference.shop import Shop
from audit.reference.totals import ALL_SELLERS, Calendar

JUNE_MS = 1_527_900_000_000
MINUTE_MS = 60_000
SHOP = ZoneInfo("America/Sao_Paulo")
KIND_OF = {
    "view": "product_viewed", "cart": "cart_changed", "other": "search_performed", "order": "order_placed",
    "merge": "cart_changed",
}  # fmt: skip
STEPS = ("viewed", "carted", "ordered", "paid")

KINDS = st.sampled_from(("view", "cart", "order", "other"))
ACTIONS = st.lists(
    st.builds(
        Action,
        st.integers(0, 40).map(lambda quarter: JUNE_MS + quarter * BREAK_MS // 4),
        KINDS,
        st.sampled_from(("ana", "bea", "")),
        st.sampled_from(("one", "two")),
    ),
    max_size=25,
)


def funnel(events: list[tuple[int, str, str, str]], *confirmed: str) -> dict[str, tuple[int, ...]]:
    """Return seller → how many visits reached each step. An event has minute, kind, seller, order."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for minute, kind, seller, order_id in events:
        found[KIND_OF[kind]].append(
            {
                "event_id": str(minute), "occurred_at": JUNE_MS + minute * MINUTE_MS, "session_id": "s",
                "seller_id": seller or None, "order_id": order_id, "lines": [{"seller_id": seller}],
                "quantity_before": 0, "quantity": 1, "reason": "merged" if kind == "merge" else None,
            }
        )  # fmt: skip
    found["order_confirmed"] = [{"order_id": order_id, "placed_at": JUNE_MS} for order_id in confirmed]
    end_ms = JUNE_MS + 24 * 60 * MINUTE_MS
    shop = Shop(lambda kind: found[kind], "BRL", SHOP, end_ms)
    calendar = Calendar(SHOP, "total", 0, end_ms, end_ms)
    return {
        seller: tuple(int(values[f"visits_{step}"] or 0) for step in STEPS)
        for as_one in (False, True)
        for seller, _, values in FAMILIES["funnel"].values(shop, lambda _: calendar, as_one=as_one)
    }


@pytest.mark.parametrize(
    ("events", "reached"),
    [
        ([(0, "view", "ana", "")], (1, 0, 0, 0)),
        ([(0, "view", "ana", ""), (1, "cart", "ana", ""), (2, "order", "ana", "one")], (1, 1, 1, 1)),
        ([(0, "view", "ana", ""), (1, "cart", "ana", ""), (2, "order", "ana", "unpaid")], (1, 1, 1, 0)),
        # In another order, or of another seller, a step does not count.
        ([(0, "cart", "ana", ""), (1, "view", "ana", ""), (2, "order", "ana", "one")], (1, 0, 0, 0)),
        ([(0, "view", "ana", ""), (1, "order", "ana", "one"), (2, "cart", "ana", "")], (1, 1, 0, 0)),
        ([(0, "view", "ana", ""), (1, "cart", "bea", ""), (2, "order", "ana", "one")], (1, 0, 0, 0)),
        # What the shop puts into a cart is no step of the shopper.
        ([(0, "view", "ana", ""), (1, "merge", "ana", ""), (2, "order", "ana", "one")], (1, 0, 0, 0)),
        # A break of 30 minutes ends the visit; what happens elsewhere in the shop does not.
        ([(0, "view", "ana", ""), (30, "cart", "ana", "")], (1, 0, 0, 0)),
        ([(0, "view", "ana", ""), (29, "other", "", ""), (58, "cart", "ana", "")], (1, 1, 0, 0)),
        ([(0, "view", "ana", ""), (30, "view", "ana", ""), (31, "cart", "ana", "")], (2, 1, 0, 0)),
        ([(0, "view", "ana", ""), (1, "cart", "ana", ""), (2, "cart", "ana", "")], (1, 1, 0, 0)),
    ],
)
def test_a_visit_counts_at_a_step_after_the_steps_before(
    events: list[tuple[int, str, str, str]], reached: tuple[int, ...]
) -> None:
    assert funnel(events, "one")["ana"] == reached


def test_the_steps_of_the_marketplace_may_be_about_different_sellers() -> None:
    found = funnel([(0, "view", "ana", ""), (1, "cart", "bea", ""), (2, "order", "bea", "one")], "one")

    assert found["ana"] == (1, 0, 0, 0)
    assert found[ALL_SELLERS] == (1, 1, 1, 1)


@given(ACTIONS)
def test_visits_are_the_session_cut_at_its_breaks(actions: list[Action]) -> None:
    cut = list(visits(actions))

    assert [action for visit in cut for action in visit] == sorted(actions)
    for visit in cut:
        assert all(b.at_ms - a.at_ms < BREAK_MS for a, b in itertools.pairwise(visit))
    for former, later in itertools.pairwise(cut):
        assert later[0].at_ms - former[-1].at_ms >= BREAK_MS


@given(ACTIONS, st.sets(st.sampled_from(("one", "two"))))
def test_no_step_is_reached_without_the_step_before(actions: list[Action], confirmed: set[str]) -> None:
    for visit in visits(actions):
        viewed = [each.at_ms for each in visit if each.kind == "view"]
        if viewed:
            reached = list(steps_after_view(visit, min(viewed), confirmed))
            assert reached == sorted(reached, reverse=True)
