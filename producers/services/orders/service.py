"""The orders service: its endpoints and workers."""

from datetime import timedelta

from producers.kit.service import Service
from producers.kit.throttles import PRUNE_THROTTLES, SubjectNames
from producers.services.orders.endpoints import router
from producers.services.orders.handlers import SUBSCRIPTIONS
from producers.services.orders.returns_of_before import settle_returns_of_before
from producers.services.orders.store import PRUNE_KEYS

SERVICE = Service(
    name="orders",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(settle_returns_of_before,),
    expiring=lambda settings: {
        "keys": (timedelta(days=settings.idempotency_key_days), PRUNE_KEYS),
        "throttles": PRUNE_THROTTLES,
    },
    private_tables=("how_to_pay", "vouchers", "throttles"),  # tokens, codes, who guessed
    context=SubjectNames,
)
