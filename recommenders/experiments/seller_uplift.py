"""What personal recommendations brought a seller: shoppers with them compared with the hold-out."""

from dataclasses import dataclass

from recommenders.experiments.effects import effect
from recommenders.experiments.intervals import Interval, confidence_sequence, fixed_interval
from recommenders.experiments.moments import Moments
from recommenders.experiments.verdicts import is_known


@dataclass(frozen=True, slots=True)
class SellerUplift:
    """Net sales that recommendations added in a period, in minor units, over all shoppers who saw them.

    `total` is an interval for one look, `sequence` one that may be looked at any time. Both are None if
    there are too few shoppers or orders in the hold-out or outside.
    """

    held_out: int
    recommended: int
    total: Interval | None
    sequence: Interval | None


def seller_uplift(held_out: Moments, recommended: Moments) -> SellerUplift:
    """Return the uplift of a seller's net sales.

    Args:
        held_out: net sales of the seller of each shopper of the hold-out, 0 for those who bought nothing; d
            is 1.
        recommended: the same of all other shoppers who saw recommendations.

    The shopper is what was randomised, so the shopper is the unit (cluster randomisation): all orders of one
    shopper are one observation. The difference of the means per shopper is multiplied by the number of
    recommended shoppers.

    The figure is biased by cannibalisation: an order that recommendations moved from one seller to another
    counts as gained by one and as lost by the other, so the sum over all sellers may exceed what the
    marketplace gained. Stock that recommended shoppers buy is missing for the hold-out, which makes the
    figure too high.
    """
    if not is_known(held_out, recommended):
        return SellerUplift(held_out.units, recommended.units, None, None)
    found = effect(held_out, recommended)
    shoppers = float(recommended.units)
    return SellerUplift(
        held_out.units,
        recommended.units,
        fixed_interval(found.difference, found.variance).scaled(shoppers),
        confidence_sequence(found.difference, found.variance, found.units).scaled(shoppers),
    )
