"""Refuses entries of the rules that name nothing: unknown products, sellers, categories; delisted products.

The configuration service does not know the products, so the gateway checks a change before it forwards it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common.configuration.recommendation_rules import (
    BLOCKS,
    BOOSTS,
    PINS,
    SPONSORED,
    Block,
    SponsoredProduct,
    Target,
)
from common.configuration.setting import InvalidValue, ListSetting
from common.configuration.values import SettingValues
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable, UnusableEntry
from serving.kit.product_cards import open_cards
from serving.kit.product_lists import ProductLists
from serving.kit.stores import Stores

CHECKED: Mapping[str, ListSetting] = {setting.name: setting for setting in (BOOSTS, PINS, BLOCKS, SPONSORED)}


async def check_entries(
    name: str, value: object, values: SettingValues, stores: Stores, lists: ProductLists, now: datetime
) -> None:
    """Check the entries that a change would add to one of the settings `CHECKED`.

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
