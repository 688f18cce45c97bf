"""The rules of the shop as a process knows them now, what they did so far, and entries that can't be used.

Settings are compiled for the present moment, and again when one changes or a date passes. Products for
exposure and suspended sellers are read in the background.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import time
from typing import Any, Literal

import orjson

from common.clock import Clock
from common.configuration.recommendation_rules import (
    BLOCKS,
    BOOSTS,
    CONSUMABLE_CATEGORIES,
    EXPOSURE_SHARE,
    MAX_PER_CATEGORY,
    MAX_PER_SELLER,
    MAX_SPONSORED,
    NEW_PRODUCT_DAYS,
    PINS,
    RECOMMENDATION_RULES,
    REPURCHASE_DAYS,
    RESTRICTED_CATEGORIES,
    SMALL_SELLER_UNITS,
    SPONSORED,
    SPONSORED_PLACES,
    Block,
    SponsoredProduct,
    Target,
)
from common.configuration.setting import InvalidValue, ListSetting
from common.configuration.values import SettingValues
from common.metrics import RECOMMENDATION_RULE_EFFECTS
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.clickhouse import ClickHouseQueries, Value
from serving.kit.live_versions import LiveVersions
from serving.kit.offers import Offer
from serving.kit.polled import PolledValue
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable, UnusableEntry
from serving.kit.product_cards import open_cards
from serving.kit.product_lists import ProductLists
from serving.kit.shared_queries import SharedQueries, whole_minute
from serving.kit.stores import Stores
from serving.recommendations.repurchase import RepurchaseIntervals
from serving.recommendations.rules.context import (
    ActiveRules,
    Effect,
    ExposurePool,
    PinnedPlace,
    RuleContext,
    Targets,
    category_key,
)

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


POOL_EVERY_S = 30.0
"""How often each process takes the products for exposure: a new one is among them within a minute. The query
reads the sales of a month."""

NEWEST_FOR = timedelta(hours=1)
"""A product listed less than this long ago is one of the newest."""

NEWEST, POOL_SIZE = 50, 450
"""The largest numbers of the newest products, and of others for exposure. There are so few of the newest that
each of them is drawn for one list in a hundred or more often."""

OF_SELLER = 5
"""The largest number of products of one seller among each of them, so that sellers with many have no
advantage."""

SOLD_IN = timedelta(days=30)
"""The time in which the units of a small seller are counted."""

SUSPENDED_EVERY_S = 1.0

Sellers = frozenset[str]
Suspensions = Callable[[], Awaitable[Mapping[str, Any]]]
"""Returns the response of `GET /v1/seller_suspensions`."""


def products_for_exposure(
    clickhouse: ClickHouseQueries, versions: LiveVersions, values: SettingValues, clock: Clock
) -> PolledValue[ExposurePool]:
    """Return the products that are new or of small sellers, and for sale.

    Those of the last `NEWEST_FOR` come apart, newest first, so that each soon gets a place. The others are in
    a random order, which is the same in all processes, and another one every hour. There are none if the
    share of exposure is 0, and until ClickHouse has answered once.
    """

    shared = SharedQueries(clickhouse, versions.redis)

    async def read() -> ExposurePool:
        if values.get(EXPOSURE_SHARE) <= 0:
            return ExposurePool()
        now = clock()
        parameters: dict[str, Value] = {
            "sold_since": whole_minute(now - SOLD_IN),
            "listed_since": whole_minute(now - timedelta(days=values.get(NEW_PRODUCT_DAYS))),
            "newest_since": whole_minute(now - NEWEST_FOR),
            "small_seller_units": values.get(SMALL_SELLER_UNITS),
            "seed": f"{now:%Y-%m-%d %H}",
            "of_seller": OF_SELLER,
            "limit": POOL_SIZE,
        }
        (rows,) = await shared.rows_of_all(POOL_EVERY_S, ("products_for_exposure", parameters))
        cards = await (await open_cards(versions)).read(row["product_id"] for row in rows)
        for_sale = [row for row in rows if (card := cards.get(row["product_id"])) and card.for_sale]
        newest = [row["product_id"] for row in for_sale if row["is_newest"]]
        others = [row["product_id"] for row in for_sale if not row["is_newest"]]
        return ExposurePool(tuple(newest[:NEWEST]), tuple(others))

    return PolledValue("products for exposure", ExposurePool(), read, POOL_EVERY_S, 2 * PEER_TIMEOUT_S)


def suspended_sellers(ask: Suspensions) -> PolledValue[Sellers]:
    """Return the sellers that may not sell. It is empty until the sellers service has answered once.

    While no commerce service answers, nobody can place an order either.
    """

    async def read() -> Sellers:
        return frozenset((await ask())["seller_ids"])

    return PolledValue("suspended sellers", frozenset(), read, SUSPENDED_EVERY_S, PEER_TIMEOUT_S)


HOUR_S = 3_600.0


class ShopRules:
    """Makes the context of each request.

    `pool`, `suspended` and `intervals` return what was read in the background.
    """

    def __init__(
        self,
        values: SettingValues,
        currency: str | None = None,
        pool: Callable[[], ExposurePool] = ExposurePool,
        suspended: Callable[[], frozenset[str]] = frozenset,
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

    def seed_of(self, visitor_id: str, page: Page, product_id: str | None = None) -> str:
        """Return the seed of the draws for a visitor on a page, which may be that of a product.

        For an hour, the visitor keeps what was drawn there. Another page draws other products and places.
        """
        return f"{visitor_id} {page} {product_id or ''} {int(self._clock_s() // HOUR_S)}"

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
            page_group=page_product.group_id if page_product else None,
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


CHECKED: Mapping[str, ListSetting] = {setting.name: setting for setting in (BOOSTS, PINS, BLOCKS, SPONSORED)}


async def check_entries(
    name: str, value: object, values: SettingValues, stores: Stores, lists: ProductLists, now: datetime
) -> None:
    """Check the entries that a change would add to one of the settings `CHECKED`.

    The configuration service does not know the products, so the gateway checks a change before forwarding it.

    Entries that the setting has already are not checked again: what they name may have gone since. While the
    products do not answer, an entry passes. The rules pass over what they do not find.

    Raises:
        UnusableEntry: an entry has ended already, or names nothing that the rule could apply to.
    """
    setting = CHECKED.get(name)
    if setting is None:
        return
    try:
        parsed = setting.parse(value)
    except InvalidValue:
        return  # the service refuses the value, and says why
    known = values.get(setting)
    for number, written in enumerate(parsed, 1):
        if written in known:
            continue
        entry = setting.read([written])[0]
        if entry.until <= now:
            raise UnusableEntry(f"Entry {number} has ended already: choose a later end. Nothing was changed.")
        target, id_ = named(entry)
        if fault := await _fault(target, id_, stores, lists, may_be_delisted=setting is BLOCKS):
            raise UnusableEntry(f"Entry {number}: {fault} Nothing was changed.")


def named(entry: Block | SponsoredProduct) -> tuple[Target, str]:
    """Return what an entry names: a product, a seller or a category."""
    return ("product", entry.product_id) if isinstance(entry, SponsoredProduct) else (entry.target, entry.id)


async def _fault(
    target: Target, id_: str, stores: Stores, lists: ProductLists, *, may_be_delisted: bool
) -> str | None:
    try:
        if target == "product":
            return await _fault_of_product(id_, stores, may_be_delisted=may_be_delisted)
        if target == "seller":
            rows = await stores.clickhouse.rows("names_of_sellers", seller_ids=[id_])
            return None if rows else f"there is no seller {id_!r}. /admin/sellers has the ids of all."
        known = [each["category"] for each in (await lists.categories())["categories"]]
    except (ClickHouseUnavailable, RedisUnavailable):
        return None
    if not known or id_.casefold() in {each.casefold() for each in known}:
        return None
    return f"no product is on offer in a category {id_!r}. The categories are: {_some(known)}."


async def _fault_of_product(id_: str, stores: Stores, *, may_be_delisted: bool) -> str | None:
    card = (await (await open_cards(stores.versions)).read([id_])).get(id_)
    if card is None:
        return f"product {id_!r} was never listed. Use the id at the end of the address of its page."
    if not card.listed and not may_be_delisted:
        return f"product {id_!r} is delisted. Choose one that a seller offers."
    return None


def _some(names: Sequence[Any], count: int = 20) -> str:
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")
