"""The rules of the shop as a process knows them now, and what they did so far."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from hashlib import sha256
from time import time
from typing import Any

from common.configuration.values import SettingValues
from common.metrics import RECOMMENDATION_RULE_EFFECTS
from serving.kit.offers import Offer
from serving.recommendations.repurchase import RepurchaseIntervals
from serving.recommendations.rules.context import ActiveRules, ExposurePool, RuleContext
from serving.recommendations.rules.draft import Effect
from serving.recommendations.rules.live_rules import LiveRules, Page
from serving.recommendations.rules.targets import category_key

HOUR_S = 3_600.0


def _nothing() -> frozenset[str]:
    return frozenset()


class ShopRules:
    """Makes the context of each request.

    `pool`, `suspended` and `intervals` return what was read in the background.
    """

    def __init__(
        self,
        values: SettingValues,
        currency: str | None = None,
        pool: Callable[[], ExposurePool] = ExposurePool,
        suspended: Callable[[], frozenset[str]] = _nothing,
        clock_s: Callable[[], float] = time,
        intervals: Callable[[], RepurchaseIntervals] = RepurchaseIntervals,
    ) -> None:
        self._live = LiveRules(values)
        self._currency = currency
        self._pool, self._suspended, self._clock_s = pool, suspended, clock_s
        self._intervals = intervals

    @property
    def now_s(self) -> float:
        """The present time in Unix seconds."""
        return self._clock_s()

    def seed_of(self, visitor_id: str) -> str:
        """Return the seed of a visitor's draws. For an hour, the visitor keeps what was drawn."""
        return f"{visitor_id} {int(self._clock_s() // HOUR_S)}"

    def of(self, page: Page) -> ActiveRules:
        """Return the rules that apply on a page now."""
        return replace(self._live.of(page, self._clock_s()), intervals=self._intervals())

    def days_until_again(self, product_id: str, category: str | None) -> float:
        """Return the usual days until a product of a category, without capitals, is bought again."""
        rules = self.of("home")
        return rules.intervals.days(product_id, category, rules.repurchase_days)

    def with_entry(self, page: Page, name: str, entry: Any) -> ActiveRules:
        """Return the rules of a page as they would be with one more entry of a setting."""
        return self._live.with_entry(page, name, entry, self._clock_s())

    def digest(self) -> str:
        """Return what identifies everything in the rules on which a list for all visitors depends."""
        suspended = ",".join(sorted(self._suspended()))
        return sha256(f"{self._live.digest(self._clock_s())} {suspended}".encode()).hexdigest()[:16]

    def context(
        self,
        rules: ActiveRules,
        seed: str,
        page_product: Offer | None = None,
        excluded: Set[str] = frozenset(),
        unwanted: Set[str] = frozenset(),
        bought: Mapping[str, float] | None = None,
    ) -> RuleContext:
        """Return the context of a request; `RuleContext` describes the arguments."""
        return RuleContext(
            rules=rules,
            now_s=self._clock_s(),
            seed=seed,
            currency=self._currency,
            page_category=category_key(page_product.category) if page_product else None,
            suspended=self._suspended(),
            excluded=excluded,
            unwanted=unwanted,
            bought=bought or {},
            pool=self._pool(),
        )


def count_effects(effects: Iterable[Effect]) -> None:
    """Count what the rules did to one list in the metrics of the process."""
    for (rule, change), count in Counter((each.rule, each.change) for each in effects).items():
        RECOMMENDATION_RULE_EFFECTS.labels(rule, change).inc(count)
