"""What becomes of an order: when each seller ships, what comes back, who changes their mind, what they write.

Times are in days of the world; live traffic makes a day shorter than 24 hours.
"""

from dataclasses import dataclass
from random import Random

from producers.simulator.world.world import World

CANCELS_SHARE = 0.015
RETURNS_SHARE = 0.04
RESTOCKED_SHARE = 0.8
REVIEWS_SHARE = 0.35
LATE_AFTER_DAYS = 7.0

RETURN_REASONS = ("changed_mind", "damaged", "wrong_product", "not_as_described")
CARRIERS = ("Swift Parcel", "Blue Van", "Harbour Post")

_COMMENTS = {
    1: ("Arrived broken and nobody answered.", "Nothing like the pictures."),
    2: ("Took very long.", "Feels cheaper than it was."),
    3: ("Does what it should.", "All right for the price."),
    4: ("Good, would buy again.", "Well packed and as described."),
    5: ("Exactly what I wanted!", "Lovely quality, came quickly."),
}


@dataclass(frozen=True)
class Line:
    """One order line: product and seller are indices, money is in minor units."""

    number: int
    product: int
    seller: int
    quantity: int
    unit_price_minor: int
    discount_minor: int = 0
    shipping_minor: int = 0

    @property
    def paid_minor(self) -> int:
        """What the shopper pays for it, shipping included."""
        return self.quantity * self.unit_price_minor - self.discount_minor + self.shipping_minor


@dataclass(frozen=True)
class Return:
    """One line comes back, this long after its delivery."""

    line: Line
    after_days: float
    reason: str
    restocked: bool


@dataclass(frozen=True)
class Parcel:
    """What one seller sends: it ships this long after confirmation and travels this long."""

    seller: int
    lines: tuple[Line, ...]
    ships_after_days: float
    travels_days: float
    carrier: str
    returned: Return | None


@dataclass(frozen=True)
class Review:
    """Written this long after the last delivery; about the first line's product."""

    product: int
    seller: int
    after_days: float
    score: int
    comment: str | None


@dataclass(frozen=True)
class Fate:
    """All that happens to a confirmed order. If `cancelled_after_days` is set, nothing else does."""

    cancelled_after_days: float | None
    parcels: tuple[Parcel, ...]
    review: Review | None


def draw_fate(world: World, random: Random, lines: list[Line]) -> Fate:
    """The fate of an order with these lines, at least one."""
    if random.random() < CANCELS_SHARE:
        return Fate(random.uniform(0.002, 0.05), (), None)
    sellers = list(dict.fromkeys(line.seller for line in lines))
    parcels = tuple(
        _parcel(world, random, seller, tuple(line for line in lines if line.seller == seller))
        for seller in sellers
    )
    return Fate(None, parcels, _review(world, random, lines[0], parcels))


def _parcel(world: World, random: Random, seller: int, lines: tuple[Line, ...]) -> Parcel:
    handling = float(world.sellers.handling_days[seller])
    return Parcel(
        seller=seller,
        lines=lines,
        ships_after_days=0.1 + handling * random.lognormvariate(0, 0.4),
        travels_days=random.lognormvariate(1.0, 0.45),
        carrier=random.choice(CARRIERS),
        returned=_return(world, random, lines),
    )


def _return(world: World, random: Random, lines: tuple[Line, ...]) -> Return | None:
    line = random.choice(lines)
    chance = RETURNS_SHARE * 2 ** -float(world.products.quality[line.product])
    if random.random() >= chance:
        return None
    return Return(
        line, random.uniform(1, 8), random.choice(RETURN_REASONS), random.random() < RESTOCKED_SHARE
    )


def _review(world: World, random: Random, line: Line, parcels: tuple[Parcel, ...]) -> Review | None:
    if random.random() >= REVIEWS_SHARE:
        return None
    late = max(parcel.ships_after_days + parcel.travels_days for parcel in parcels) > LATE_AFTER_DAYS
    came_back = any(parcel.returned for parcel in parcels)
    quality = float(world.products.quality[line.product])
    mood = 4.2 + 0.6 * quality - 1.2 * late - 1.5 * came_back + random.gauss(0, 0.8)
    score = min(max(round(mood), 1), 5)
    comment = random.choice(_COMMENTS[score]) if random.random() < 0.5 else None
    return Review(line.product, line.seller, random.uniform(0.1, 5), score, comment)
