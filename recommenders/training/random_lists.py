"""Reads random lists that were clicked: what `click_judgement` judges models by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from recommenders.training.arrow_queries import query

MAX_LISTS = 5_000
"""The number of newest lists that are read. It bounds the time, and tells models apart that differ by 1 %."""

MAX_OF_VISITOR = 20
"""The number of newest lists of a visitor that are read: the clicks of a robot must not decide."""


@dataclass(frozen=True)
class RandomList:
    """A random list that came into view and was clicked.

    `history` has the products that it was computed from, the heaviest first: mostly the newest, without what
    was bought. `products` are those that came into view and that no trained model chose, and `clicked` are
    some of them.
    """

    visitor: str
    history: Sequence[str]
    products: Sequence[str]
    clicked: frozenset[str]


def read_random_lists(
    client: Client,
    start: datetime,
    end: datetime,
    lists: int = MAX_LISTS,
    most_of_visitor: int = MAX_OF_VISITOR,
) -> list[RandomList]:
    """Return the newest random lists of a period that were clicked, the newest first.

    Raises:
        PartUnavailable: ClickHouse does not answer.
    """
    period = {"period_start": start, "period_end": end}
    limits = {"lists": lists, "most_of_visitor": most_of_visitor}
    rows = query(client, "random_lists", {**period, **limits}).to_pylist()
    return [
        RandomList(row["visitor"], row["history"], row["products"], frozenset(row["clicked"])) for row in rows
    ]
