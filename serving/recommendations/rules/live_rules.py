"""Compiles the settings of the rules for the present moment, and again when one changes or a date passes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import orjson

from common.configuration.recommendation_rules import (
    BLOCKS,
    BOOSTS,
    CONSUMABLE_CATEGORIES,
    EXPOSURE_SHARE,
    MAX_PER_CATEGORY,
    MAX_PER_SELLER,
    MAX_SPONSORED,
    PINS,
    RECOMMENDATION_RULES,
    REPURCHASE_DAYS,
    RESTRICTED_CATEGORIES,
    SPONSORED,
    SPONSORED_PLACES,
)
from common.configuration.setting import ListSetting
from common.configuration.values import SettingValues
from serving.recommendations.rules.context import ActiveRules, PinnedPlace
from serving.recommendations.rules.targets import Targets

Page = Literal["home", "product", "cart"]
PAGES: tuple[Page, ...] = ("home", "product", "cart")

DATED = (BOOSTS, PINS, BLOCKS, SPONSORED)
"""The settings whose entries have dates."""


class LiveRules:
    """The rules that apply now. They are compiled when a setting has changed or an entry begins or ends."""

    def __init__(self, values: SettingValues) -> None:
        self._values = values
        self._versions: tuple[int, ...] | None = None
        self._since_s, self._until_s = float("inf"), float("-inf")
        self._rules: Mapping[Page, ActiveRules] = {}
        self._digest = ""

    def of(self, page: Page, now_s: float) -> ActiveRules:
        """Return the rules of a page at a time in Unix seconds."""
        self._refresh(now_s)
        return self._rules[page]

    def digest(self, now_s: float) -> str:
        """Return what identifies the rules of all pages: equal rules have equal digests in every process."""
        self._refresh(now_s)
        return self._digest

    def with_entry(self, page: Page, name: str, entry: Any, now_s: float) -> ActiveRules:
        """Return the rules of a page as they would be with one more entry of a setting, once it applies."""
        now = max(datetime.fromtimestamp(now_s, UTC), entry.start)
        entries = {setting.name: setting.read(self._values.get(setting)) for setting in DATED}
        return compile_rules(self._values, entries | {name: [*entries[name], entry]}, page, now)

    def _refresh(self, now_s: float) -> None:
        versions = tuple(self._values.version(setting) for setting in RECOMMENDATION_RULES)
        if versions == self._versions and self._since_s <= now_s < self._until_s:
            return
        now = datetime.fromtimestamp(now_s, UTC)
        entries = {setting.name: setting.read(self._values.get(setting)) for setting in DATED}
        self._rules = {page: compile_rules(self._values, entries, page, now) for page in PAGES}
        self._until_s = min(
            (
                moment.timestamp()
                for listed in entries.values()
                for each in listed
                for moment in (each.start, each.until)
                if moment > now
            ),
            default=float("inf"),
        )
        self._versions, self._since_s = versions, now_s
        active = [
            [each.model_dump(mode="json") for each in valid(listed, now)] for listed in entries.values()
        ]
        others = [self._values.get(each) for each in RECOMMENDATION_RULES if each not in DATED]
        self._digest = sha256(orjson.dumps([active, others])).hexdigest()[:16]


def valid(entries: Iterable[Any], now: datetime, page: Page | None = None) -> list[Any]:
    """Return the entries that apply at a moment; with a page, those that apply there."""
    return [
        each
        for each in entries
        if each.start <= now < each.until and (page is None or each.surface in ("any", page))
    ]


def compile_rules(
    values: SettingValues, entries: Mapping[str, Iterable[Any]], page: Page, now: datetime
) -> ActiveRules:
    """Return the rules of a page at a moment. `entries` has the entries of `DATED` by the setting's name."""
    boosts, pins, blocks, sponsored = (valid(entries[setting.name], now, page) for setting in DATED)
    return ActiveRules(
        blocks=Targets.of((each.target, each.id, 1.0) for each in blocks),
        boosts=Targets.of((each.target, each.id, each.factor) for each in boosts),
        pins=tuple(PinnedPlace(each.place - 1, each.target, each.id) for each in pins),
        sponsored=tuple(dict.fromkeys(each.product_id for each in sponsored)),
        sponsored_places=tuple(sorted({place - 1 for place in values.get(SPONSORED_PLACES)})),
        max_sponsored=values.get(MAX_SPONSORED),
        max_per_seller=values.get(MAX_PER_SELLER),
        max_per_category=values.get(MAX_PER_CATEGORY),
        restricted=_folded(values, RESTRICTED_CATEGORIES),
        consumables=_folded(values, CONSUMABLE_CATEGORIES),
        repurchase_days=values.get(REPURCHASE_DAYS),
        exposure_share=values.get(EXPOSURE_SHARE),
    )


def _folded(values: SettingValues, setting: ListSetting) -> frozenset[str]:
    return frozenset(category.casefold() for category in values.get(setting))
