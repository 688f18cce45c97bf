"""What a titled row is: the page, the title, what the row is about, and the sources that fill it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.strategies import Strategy

RowPage = Literal["home", "cart", "order", "email"]
"""What shows titled rows: a page (`order` is that of an order, after the purchase), or a mail."""


@dataclass(frozen=True, slots=True)
class Focus:
    """What a row is about.

    `request` asks only for products that follow from it, so the title is true for each of them. `name` is
    that of the product or category in the title; None if the title names none.
    """

    request: RecommendationRequest
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RowDefinition:
    """A titled row. A row with less than `shortest` products is left out.

    `title` has a place for the focus's name, such as "Popular in %(name)s". `focus` returns None if the
    visitor's history has nothing that the row could be about. `name` is the strategy in the events of the
    row, so its clicks and purchases are counted apart from those of other lists.
    """

    name: str
    title: str
    focus: Callable[[RecommendationRequest], Awaitable[Focus | None]]
    strategy: Strategy
    shortest: int = 3
