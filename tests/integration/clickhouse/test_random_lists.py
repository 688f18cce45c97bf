"""Random lists that were clicked, read from a real ClickHouse."""

from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse.client import connect
from common.settings import Settings
from recommenders.training.training_data import RandomList, read_random_lists
from tests.integration.shown_lists import ShownLists, scored_item

END = datetime(2026, 11, 29, tzinfo=UTC)
START = END - timedelta(days=2)


def a_list(lists: ShownLists, name: str, visitor: str, at: datetime, is_explored: bool = True) -> None:
    """A list of a lamp, a rug, a vase and a desk, which was below the fold. Rug and vase were clicked.

    Only the trained model chose the vase.
    """
    items = [scored_item(product, 0.5) for product in ("lamp", "rug", "vase", "desk")]
    chosen = [("live", "lamp"), ("popular", "rug"), ("live", "desk"), ("trained", "vase"), ("blend", "vase")]
    lists.answer(
        name, visitor, at, *items, is_explored=is_explored, seeds=("sofa", "chair"), alternatives=chosen
    )
    lists.see(name, at, "lamp", "rug", "vase", session="s1")
    lists.click(name, at, "rug", "s1")
    lists.click(name, at, "vase", "s1")


def test_random_lists_that_came_into_view_and_were_clicked_are_read(empty_database: Settings) -> None:
    lists = ShownLists()
    a_list(lists, "list-1", "ann", START)
    a_list(lists, "list-2", "bea", END - timedelta(seconds=1))
    a_list(lists, "usual", "ann", START, is_explored=False)
    a_list(lists, "too-old", "ann", START - timedelta(seconds=1))
    a_list(lists, "too-new", "ann", END)
    lamp: dict[str, Any] = {"is_explored": True, "seeds": ("sofa",), "alternatives": [("live", "lamp")]}
    lists.answer("unseen", "ann", START, scored_item("lamp", 0.5), **lamp)
    lists.answer("no-history", "ann", START, scored_item("lamp", 0.5), **lamp | {"seeds": ()})
    lists.see("no-history", START, "lamp", session="s1")
    lists.click("no-history", START, "lamp", "s1")
    lists.answer("not-clicked", "ann", START, scored_item("lamp", 0.5), **lamp)
    lists.see("not-clicked", START, "lamp", session="s1")
    lists.answer("of-model", "ann", START, scored_item("lamp", 0.5), **lamp | {"alternatives": ()})
    lists.see("of-model", START, "lamp", session="s1")
    lists.click("of-model", START, "lamp", "s1")
    for number in range(5):
        a_list(lists, f"list-0-of-a-robot-{number}", "robot", START)
    lists.load(empty_database)

    with connect(empty_database) as client:
        found = read_random_lists(client, START, END, most_of_visitor=2)

    def of(visitor: str) -> RandomList:
        return RandomList(visitor, ["sofa", "chair"], ["lamp", "rug"], frozenset(("rug",)))

    assert found == [of("bea"), of("ann"), of("robot"), of("robot")]
    with connect(empty_database) as client:
        assert read_random_lists(client, START, END, lists=1) == [of("bea")]
