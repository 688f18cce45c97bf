"""Draws the lifecycle of a confirmed order: shipments, returns, a cancellation, a review.

Times are in days. A day of live traffic is shorter than 24 hours (`live.shipments.DAY_S`).
"""

from dataclasses import dataclass, replace
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
class SimulatedLine:
    """One order line: product and seller are indices, money is in minor units."""

    number: int
    product: int
    seller: int
    quantity: int
    unit_price_minor: int
    discount_minor: int = 0
    shipping_minor: int = 0
    marketplace_minor: int = 0

    @property
    def paid_minor(self) -> int:
        """The amount that the shopper pays for the line, including shipping."""
        discount_minor = self.discount_minor + self.marketplace_minor
        return self.quantity * self.unit_price_minor - discount_minor + self.shipping_minor


@dataclass(frozen=True)
class PlannedReturn:
    """The return of one line, `after_days` after its delivery."""

    line: SimulatedLine
    after_days: float
    reason: str
    restocked: bool


@dataclass(frozen=True)
class PlannedShipment:
    """The shipment of one seller, `ships_after_days` after the confirmation."""

    seller: int
    lines: tuple[SimulatedLine, ...]
    ships_after_days: float
    transit_days: float
    carrier: str
    returned: PlannedReturn | None


@dataclass(frozen=True)
class PlannedReview:
    """A review of the first line's product, written `after_days` after the last delivery."""

    line_number: int
    product: int
    seller: int
    after_days: float
    score: int
    comment: str | None


@dataclass(frozen=True)
class OrderLifecycle:
    """The later events of a confirmed order. If `cancelled_after_days` is set, there are no others."""

    cancelled_after_days: float | None
    shipments: tuple[PlannedShipment, ...]
    review: PlannedReview | None


def draw_fulfilment(world: World, random: Random, lines: list[SimulatedLine]) -> OrderLifecycle:
    """Draw a lifecycle with shipments only, without a cancellation, returns or a review."""
    shipments = draw_lifecycle(world, random, lines, cancels_share=0.0).shipments
    return OrderLifecycle(None, tuple(replace(shipment, returned=None) for shipment in shipments), None)


def draw_lifecycle(
    world: World, random: Random, lines: list[SimulatedLine], cancels_share: float = CANCELS_SHARE
) -> OrderLifecycle:
    """Draw the lifecycle of an order with these lines. `lines` must not be empty."""
    if random.random() < cancels_share:
        return OrderLifecycle(random.uniform(0.002, 0.05), (), None)
    sellers = list(dict.fromkeys(line.seller for line in lines))
    shipments = tuple(
        _draw_shipment(world, random, seller, tuple(line for line in lines if line.seller == seller))
        for seller in sellers
    )
    return OrderLifecycle(None, shipments, _draw_review(world, random, lines[0], shipments))


def _draw_shipment(
    world: World, random: Random, seller: int, lines: tuple[SimulatedLine, ...]
) -> PlannedShipment:
    handling = float(world.sellers.handling_days[seller])
    return PlannedShipment(
        seller=seller,
        lines=lines,
        ships_after_days=0.1 + handling * random.lognormvariate(0, 0.4),
        transit_days=random.lognormvariate(1.0, 0.45),
        carrier=random.choice(CARRIERS),
        returned=_draw_return(world, random, lines),
    )


def _draw_return(world: World, random: Random, lines: tuple[SimulatedLine, ...]) -> PlannedReturn | None:
    line = random.choice(lines)
    chance = RETURNS_SHARE * 2 ** -float(world.products.quality[line.product])
    if random.random() >= chance:
        return None
    return PlannedReturn(
        line, random.uniform(1, 8), random.choice(RETURN_REASONS), random.random() < RESTOCKED_SHARE
    )


def _draw_review(
    world: World, random: Random, line: SimulatedLine, shipments: tuple[PlannedShipment, ...]
) -> PlannedReview | None:
    if random.random() >= REVIEWS_SHARE:
        return None
    late = max(parcel.ships_after_days + parcel.transit_days for parcel in shipments) > LATE_AFTER_DAYS
    returned = any(parcel.returned for parcel in shipments)
    quality = float(world.products.quality[line.product])
    mood = 4.2 + 0.6 * quality - 1.2 * late - 1.5 * returned + random.gauss(0, 0.8)
    score = min(max(round(mood), 1), 5)
    comment = random.choice(_COMMENTS[score]) if random.random() < 0.5 else None
    return PlannedReview(line.number, line.product, line.seller, random.uniform(0.1, 5), score, comment)
