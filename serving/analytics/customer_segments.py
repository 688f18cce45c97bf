"""Names customers by how recently, how often and for how much they bought (RFM). Pure.

Each customer has three scores from 1 to 5, the quintiles of the seller's customers: of n customers, a score
is 1 + ⌊5 · those with a lower value ÷ n⌋. So customers with equal values have equal scores, and the lowest
ones that this allows: if nine of ten customers ordered once, these have 1 for their frequency, and the tenth
has 5.

The segments are those of the grid of recency and value that most RFM tools use.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MIN_CUSTOMERS = 5
"""With fewer customers there are no quintiles, and no segments."""

SCORES = range(1, 6)


@dataclass(frozen=True, slots=True)
class Segment:
    """Customers whose scores are in two ranges, each given by its lowest and its highest score.

    `value` is the mean of the scores of frequency and net sales, rounded half up.
    """

    name: str
    title: str
    recency: tuple[int, int]
    value: tuple[int, int]
    advice: str

    @property
    def rule(self) -> str:
        """The ranges in words, such as `recency 5, value 4 to 5`."""
        return f"recency {_range(self.recency)}, value {_range(self.value)}"

    def has(self, recency: int, value: int) -> bool:
        """Return whether a customer with these scores is in the segment."""
        return self.recency[0] <= recency <= self.recency[1] and self.value[0] <= value <= self.value[1]


SEGMENTS: Sequence[Segment] = (
    Segment(
        "champions", "Champions", (5, 5), (4, 5), "Show them what is new first, and ask them for a review."
    ),
    Segment(
        "loyal",
        "Loyal customers",
        (3, 4),
        (4, 5),
        "Offer what goes with their earlier orders, or more of it.",
    ),
    Segment(
        "potential_loyalists",
        "Potential loyalists",
        (4, 5),
        (2, 3),
        "Give them a reason for the next order, such as a set or free shipping from an amount on.",
    ),
    Segment(
        "new",
        "New customers",
        (5, 5),
        (1, 1),
        "Deliver on time: the first order decides about the second one.",
    ),
    Segment("promising", "Promising", (4, 4), (1, 1), "Recommend products of the price that they paid."),
    Segment(
        "need_attention",
        "Need attention",
        (3, 3),
        (3, 3),
        "A limited offer on what they bought before brings some of them back.",
    ),
    Segment(
        "about_to_sleep",
        "About to sleep",
        (3, 3),
        (1, 2),
        "List popular products at a price that is easy to accept.",
    ),
    Segment(
        "at_risk",
        "At risk",
        (1, 2),
        (3, 4),
        "Look for what went wrong in their last orders: late parcels, returns, low reviews.",
    ),
    Segment(
        "cannot_lose",
        "Can't lose them",
        (1, 2),
        (5, 5),
        "They bought most and stopped: have again what they bought, and check its price against others.",
    ),
    Segment(
        "hibernating", "Hibernating", (1, 2), (1, 2), "Spend nothing on them, except in a clearance sale."
    ),
)
"""Each pair of scores is in exactly one of them. The first ones need the least to buy again."""


def value_score(frequency: int, monetary: int) -> int:
    """Return the mean of both scores, rounded half up."""
    return (frequency + monetary + 1) // 2


def segment_of(recency: int, frequency: int, monetary: int) -> Segment:
    """Return the segment of a customer with these scores, each from 1 to 5."""
    value = value_score(frequency, monetary)
    return next(segment for segment in SEGMENTS if segment.has(recency, value))


def _range(scores: tuple[int, int]) -> str:
    first, last = scores
    return str(first) if first == last else f"{first} to {last}"
