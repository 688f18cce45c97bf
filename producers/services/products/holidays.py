"""Takes the offers of sellers on holiday off, and puts them back (a worker)."""

from dataclasses import replace

from common.settings import Settings
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll
from producers.services.products import store

_INTERVAL_S = 2.0
_BATCH = 500


async def run_holidays(transactions: Transactions, settings: Settings) -> None:
    """Hide and show listings as holidays begin and end, until cancelled."""

    async def work() -> int:
        async with transactions.begin(Trace.start("holidays", None)) as tx:
            late = await store.lock_late_for_holidays(tx, tx.now, _BATCH)
            for listing in late:
                await store.save_changed(tx, listing, replace(listing, hidden=not listing.hidden))
        return len(late)

    await poll("products holidays", _INTERVAL_S, work, settings.stop_timeout_s, drains=True)
