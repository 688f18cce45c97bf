"""What the service does by itself: the first category tree, and the offers of sellers who do not sell now."""

from collections.abc import Sequence
from dataclasses import replace

from common.settings import Settings
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll
from producers.services.products import store
from producers.services.products.model import Listing
from schemas.product_categories import default_tree

_DAY_S = 86_400.0
_HOLIDAYS_EVERY_S = 2.0
_BATCH = 500


async def run_first_categories(transactions: Transactions, _settings: Settings) -> None:
    """Copy the tree of `schemas/product_categories.toml` when the service is first started."""

    async def copy() -> None:
        async with transactions.begin(Trace.start("categories", None)) as tx:
            await store.lock_categories(tx)
            if await store.begin_first_categories(tx):
                tree = default_tree()
                for attribute in tree.attributes.values():
                    await store.save_attribute(tx, attribute)
                for category in tree.categories.values():
                    await store.save_category(tx, category)

    await poll("products categories", _DAY_S, copy)


async def run_holidays(transactions: Transactions, settings: Settings) -> None:
    """Take off what sellers offer who are on holiday or may not sell, and put it back, until cancelled."""

    async def work() -> int:
        async with transactions.begin(Trace.start("holidays", None)) as tx:
            late = await store.lock_late_for_holidays(tx, tx.now, _BATCH)
            await store.save_all_changed(tx, _with_other_hidden(late))
            suspended = await store.lock_of_suspended(tx, _BATCH)
            await store.save_all_changed(tx, _with_other_hidden(suspended), "seller_closed")
        return len(late) + len(suspended)

    await poll("products holidays", _HOLIDAYS_EVERY_S, work, settings.stop_timeout_s, drains=True)


def _with_other_hidden(listings: Sequence[Listing]) -> list[tuple[Listing, Listing]]:
    return [(listing, replace(listing, hidden=not listing.hidden)) for listing in listings]
