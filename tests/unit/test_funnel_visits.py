"""The plain computation of the funnel: visits, and the steps that they reach."""

import itertools
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.seller_metrics.figures import SellerMonths
from audit.seller_metrics.funnel_visits import BREAK_MS, Event, add, steps_of, visits_of
from audit.seller_metrics.marketplace import ALL_SELLERS, as_one_seller

JUNE_MS = 1_527_900_000_000
MINUTE_MS = 60_000
STEPS = ("viewed", "carted", "ordered", "paid")

KINDS = st.sampled_from(("view", "cart", "order", "other"))
EVENTS = st.lists(
    st.builds(
        Event,
        st.integers(0, 40).map(lambda quarter: JUNE_MS + quarter * BREAK_MS // 4),
        KINDS,
        st.sampled_from(("ana", "bea", "")),
        st.sampled_from(("one", "two")),
    ),
    max_size=25,
)


def funnel(events: list[tuple[int, str, str, str]], *confirmed: str) -> dict[str, tuple[int, ...]]:
    """Return seller → how many visits reached each step. An event has minute, kind, seller, order."""
    rows: list[dict[str, Any]] = [
        {
            "kind": kind, "session_id": "s", "seller_id": seller, "order_id": order,
            "at_ms": JUNE_MS + minute * MINUTE_MS,
        }
        for minute, kind, seller, order in events
    ]  # fmt: skip
    rows += [
        {"kind": "confirmed", "session_id": "", "seller_id": "", "order_id": order, "at_ms": 0}
        for order in confirmed
    ]
    months = SellerMonths(ZoneInfo("America/Sao_Paulo"))
    for given_rows in (rows, as_one_seller(rows)):
        add(given_rows, months.of_source("funnel_visits"))
    sellers = {event[2] for event in events if event[2]} | {ALL_SELLERS}
    sums = {seller: months.at("funnel_visits", seller, JUNE_MS).sums for seller in sellers}
    return {seller: tuple(own[step] for step in STEPS) for seller, own in sums.items()}


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


@given(EVENTS)
def test_visits_are_the_session_cut_at_its_breaks(events: list[Event]) -> None:
    visits = list(visits_of(events))

    assert [event for visit in visits for event in visit] == sorted(events)
    for visit in visits:
        assert all(b.at_ms - a.at_ms < BREAK_MS for a, b in itertools.pairwise(visit))
    for former, later in itertools.pairwise(visits):
        assert later[0].at_ms - former[-1].at_ms >= BREAK_MS


@given(EVENTS, st.sets(st.sampled_from(("one", "two"))))
def test_no_step_is_reached_without_the_step_before(events: list[Event], confirmed: set[str]) -> None:
    for visit in visits_of(events):
        if any(event.kind == "view" for event in visit):
            viewed_ms, steps = steps_of(visit, confirmed)
            reached = [steps[name] for name in STEPS]
            assert reached == sorted(reached, reverse=True)
            assert viewed_ms in {event.at_ms for event in visit}
