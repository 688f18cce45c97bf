"""What lists showed, and what of it was clicked and bought, read from a real ClickHouse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clickhouse.client import connect
from common.settings import Settings
from recommenders.training.blend_weights import ShownItems
from recommenders.training.training_data import DAYS, read_shown_items
from tests.integration.shown_lists import ShownLists, scored_item

END = datetime(2026, 11, 29, tzinfo=UTC)
HOUR = timedelta(hours=1)


def rows_of(shown: ShownItems) -> list[tuple[str, int, list[float], bool, bool]]:
    columns = (
        shown.surfaces.tolist(), shown.positions.tolist(), shown.scores.tolist(),
        shown.clicked.tolist(), shown.bought.tolist(),
    )  # fmt: skip
    return list(zip(*columns, strict=True))


def read(settings: Settings, **limits: Any) -> list[tuple[str, int, list[float], bool, bool]]:
    """Return the items, which are the same for analysts, for whom unmatched rows of a join are NULL."""
    with connect(settings) as analyst, connect(settings, admin=True) as admin:
        found = [rows_of(read_shown_items(client, END, **limits)) for client in (analyst, admin)]
    assert found[0] == found[1]
    return found[0]


def test_items_that_came_into_view_are_read_oldest_first_with_what_followed(empty_database: Settings) -> None:
    lists, day = ShownLists(), END - timedelta(days=9)
    lists.answer(
        "usual", "ann", day, scored_item("lamp", 1.0, 0.5), scored_item("paid", 0.9, source="sponsored"),
        scored_item("rug", None, None, 0.4), scored_item("mat", None, None, None, 0.7),
        scored_item("best-seller", source="popular_products"),
        scored_item("below-the-fold", 0.2),
    )  # fmt: skip
    lists.see("usual", day + HOUR, "lamp", "paid", "rug", "mat", "best-seller", session="s1", shopper="ann")
    lists.click("usual", day + 2 * HOUR, "rug", "s1", "ann")
    lists.click("usual", day + 2 * HOUR, "best-seller", "s1", "ann")
    lists.order(day + 3 * HOUR, "rug", "ann")
    lists.answer(
        "random",
        "s2",
        day - HOUR,
        scored_item("desk", 0.3, 0.6),
        surface="cart",
        strategy="live",
        is_explored=True,
    )
    lists.see("random", day - HOUR, "desk", session="s2")
    lists.load(empty_database)

    assert read(empty_database) == [
        ("cart", 1, [0.3, 0.6, 0.0, 0.0], False, False),
        ("home", 1, [1.0, 0.5, 0.0, 0.0], False, False),
        ("home", 3, [0.0, 0.0, 0.4, 0.0], True, True),
        ("home", 4, [0.0, 0.0, 0.0, 0.7], False, False),
    ]
    assert [row[0] for row in read(empty_database, lists=1)] == ["home"] * 3
    assert read(empty_database, days=8) == []


def test_the_popularity_of_an_item_is_the_interest_before_the_list_which_fades(
    empty_database: Settings,
) -> None:
    """A visit counts what weighed most in it: a view 1, a cart 4, an order 9."""
    lists = ShownLists()
    ages = {"earlier": 10, "later": 1}
    for name, days in ages.items():
        at = END - timedelta(days=days)
        lists.answer(name, "ann", at, scored_item("lamp", 1.0), scored_item("rug", 0.5))
        lists.see(name, at, "lamp", "rug", session="s1", shopper="ann")
    viewed = (("bea", 2), ("bea", 2), ("cleo", 15), ("dora", 50), ("same-day", 1), ("too-early", 57))
    for visitor, days in viewed:
        lists.view(END - timedelta(days=days), "lamp", visitor)
    lists.put_into_cart(END - timedelta(days=15), "lamp", "cleo")
    lists.put_into_cart(END - timedelta(days=2), "lamp", "bea", quantity_before=2)
    lists.order(END - timedelta(days=50), "lamp", "dora")
    lists.load(empty_database)

    with connect(empty_database) as analyst:
        shown = read_shown_items(analyst, END)

    before = {"earlier": {15: 4, 50: 1 + 9}, "later": {2: 1, 15: 4, 50: 1 + 9}}
    expected = [
        sum(visits * 2 ** ((ages[name] - days) / 14) for days, visits in before[name].items())
        for name in ages
    ]
    assert shown.lists.tolist() == [1, 1, 2, 2]
    assert shown.visitors.tolist() == [1, 1, 1, 1]
    assert shown.popularity.tolist() == [pytest.approx(expected[0]), 0.0, pytest.approx(expected[1]), 0.0]


def test_a_purchase_counts_within_a_day_of_the_click_by_the_same_shopper_or_session(
    empty_database: Settings,
) -> None:
    lists, day = ShownLists(), END - timedelta(days=9)
    almost_a_day, day_after = 24 * HOUR - timedelta(seconds=1), 24 * HOUR
    cases: dict[str, tuple[timedelta, dict[str, Any]]] = {
        "same-shopper": (almost_a_day, {}),
        "next-day": (day_after, {}),
        "before-the-click": (timedelta(seconds=-1), {}),
        "never-paid": (HOUR, {"is_confirmed": False}),
        "other-product": (HOUR, {"product": "rug"}),
        "signed-in-later": (HOUR, {"shopper": "zoe", "session": "session of signed-in-later"}),
    }
    for number, (visitor, (after_click, changes)) in enumerate(cases.items()):
        at, session = day + number * HOUR, f"session of {visitor}"
        shopper = None if visitor == "signed-in-later" else visitor
        lists.answer(visitor, visitor, at, scored_item("lamp", 1.0))
        lists.see(visitor, at, "lamp", session=session, shopper=shopper)
        lists.click(visitor, at, "lamp", session, shopper)
        lists.order(at + after_click, **({"product": "lamp", "shopper": visitor} | changes))
    lists.load(empty_database)

    found = read(empty_database)

    assert all(clicked for *_, clicked, _ in found)
    assert [name for name, row in zip(cases, found, strict=True) if row[-1]] == [
        "same-shopper",
        "signed-in-later",
    ]


def test_other_strategies_what_nobody_saw_and_robots_are_left_out(empty_database: Settings) -> None:
    lists, day = ShownLists(), END - timedelta(days=9)
    lists.answer("live", "ann", day, scored_item("lamp", 1.0), strategy="live")
    lists.see("live", day, "lamp", session="s1", shopper="ann")
    lists.answer("no-model", "ann", day, scored_item("lamp", 1.0), model_version=None)
    lists.see("no-model", day, "lamp", session="s1", shopper="ann")
    lists.answer("unseen", "ann", day, scored_item("lamp", 1.0))
    lists.answer("old", "ann", END - timedelta(days=DAYS + 1), scored_item("lamp", 1.0))
    lists.see("old", END - timedelta(days=DAYS + 1), "lamp", session="s1", shopper="ann")
    for number in range(1_001):
        lists.answer(f"many-{number}", "many-lists", day, scored_item("lamp", 1.0))
        lists.see(f"many-{number}", day, "lamp", session="many-lists")
        lists.add(
            "product_viewed", day, session_id=f"v{number}", shopper_id="many-sessions", product_id="rug"
        )
    lists.answer("sessions", "many-sessions", day, scored_item("lamp", 1.0))
    lists.see("sessions", day, "lamp", session="v1", shopper="many-sessions")
    for number in range(1_000):
        lists.answer(f"keen-{number}", "keen", day, scored_item("lamp", 0.25))
        lists.see(f"keen-{number}", day, "lamp", session="keen")
    lists.load(empty_database)

    with connect(empty_database) as analyst:
        assert len(set(read_shown_items(analyst, END).visitors.tolist())) == 1
    found = read(empty_database)

    assert len(found) == 1_000
    assert {tuple(scores) for _, _, scores, _, _ in found} == {(0.25, 0.0, 0.0, 0.0)}
