"""While Redis is away, the answer has the popular products that were read last, and says so."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from serving.recommendations.service import MAX_AGE, PopularItems, answer_without_redis

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS: list[Any] = [{"product_id": each} for each in ("lamp", "rug", "cup", "vase")]


def answered(age: timedelta = timedelta(), n: int = 12, left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    found = answer_without_redis(PopularItems(NOW - age, ITEMS), n, left_out, NOW)
    return cast(dict[str, Any], found or {"items": []})


def shown(answer: dict[str, Any]) -> list[str]:
    return [item["product_id"] for item in answer["items"]]


def test_the_best_products_are_shown_without_those_of_another_row() -> None:
    assert shown(answered(n=2)) == ["lamp", "rug"]
    assert shown(answered(n=2, left_out=("lamp", "cup"))) == ["rug", "vase"]


def test_the_answer_says_that_redis_is_away() -> None:
    answer = answered()

    assert (answer["strategy"], answer["model_version"], answer["as_of"]) == ("popular", None, None)
    sources = [part["source"] for part in answer["parts"]]
    assert len(sources) == len(set(sources))
    assert {part["source"]: (part["answered"], part["reason"]) for part in answer["parts"]} == {
        "item_neighbours": (False, "no_redis"),
        "trained_neighbours": (False, "no_redis"),
        "similar_content": (False, "no_redis"),
        "popular_in_category": (False, "no_redis"),
        "popular_products": (True, None),
    }


def test_old_products_and_an_empty_list_are_no_answer() -> None:
    assert shown(answered(MAX_AGE)) == ["lamp", "rug", "cup", "vase"]
    assert (
        answer_without_redis(PopularItems(NOW - MAX_AGE - timedelta(seconds=1), ITEMS), 12, (), NOW) is None
    )
    assert answer_without_redis(None, 12, (), NOW) is None
    assert answer_without_redis(PopularItems(NOW, ITEMS), 12, ("lamp", "rug", "cup", "vase"), NOW) is None
