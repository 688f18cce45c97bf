"""What the rules know of a request: the settings that apply, the visitor, and the page."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from common.configuration.recommendation_rules import Target
from serving.recommendations.repurchase import RepurchaseIntervals
from serving.recommendations.rules.targets import Targets


@dataclass(frozen=True, slots=True)
class PinnedPlace:
    """A pin that applies now. `place` 0 is the first."""

    place: int
    target: Target
    id: str


@dataclass(frozen=True, slots=True)
class ActiveRules:
    """The settings that apply on one page at one moment. Categories are without capitals."""

    blocks: Targets = field(default_factory=Targets)
    boosts: Targets = field(default_factory=Targets)
    pins: tuple[PinnedPlace, ...] = ()
    sponsored: tuple[str, ...] = ()
    sponsored_places: tuple[int, ...] = ()
    """Places from 0, ascending."""
    max_sponsored: int = 0
    max_per_seller: int = 50
    max_per_category: int = 50
    restricted: frozenset[str] = frozenset()
    consumables: frozenset[str] = frozenset()
    repurchase_days: int = 30
    intervals: RepurchaseIntervals = field(default_factory=RepurchaseIntervals)
    exposure_share: float = 0.0

    @property
    def looks_deeper(self) -> bool:
        """Whether a product far down in the ranking may get a better place."""
        return bool(self.boosts) or any(pin.target != "product" for pin in self.pins)


def without_entries(rules: ActiveRules) -> ActiveRules:
    """Return the rules without what administrators decided about single products, and without draws."""
    return replace(without_places(rules), boosts=Targets(), blocks=Targets())


def without_places(rules: ActiveRules) -> ActiveRules:
    """Return the rules without those that give a product a place of its own."""
    return replace(rules, pins=(), sponsored=(), exposure_share=0.0)


@dataclass(frozen=True, slots=True)
class ExposurePool:
    """The products that wait for exposure: those listed a short time ago, newest first, and others."""

    newest: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Both, the newest first."""
        return (*self.newest, *self.others)


@dataclass(frozen=True, slots=True)
class RuleContext:
    """A request, as the rules see it.

    `excluded` are products that the list must not have, such as the one of the page and those viewed. A pin
    or a sponsored place may show a viewed product again, but none of `unwanted`: the one of the page, those
    in the cart and those that the page shows in another row. `bought` has the time of the last purchase in
    Unix seconds. `pool` are the products that wait for exposure. The same `seed` makes the same draws.
    """

    rules: ActiveRules = field(default_factory=ActiveRules)
    now_s: float = 0.0
    seed: str = ""
    currency: str | None = None
    page_category: str | None = None
    """The category of the page's product, without capitals."""
    suspended: Set[str] = frozenset()
    excluded: Set[str] = frozenset()
    unwanted: Set[str] = frozenset()
    bought: Mapping[str, float] = field(default_factory=dict)
    pool: ExposurePool = field(default_factory=ExposurePool)
