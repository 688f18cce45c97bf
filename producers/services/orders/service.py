"""The orders service: its endpoints and workers."""

from producers.kit.service import Service
from producers.services.orders.endpoints import router
from producers.services.orders.handlers import SUBSCRIPTIONS
from producers.services.orders.returns_of_before import settle_returns_of_before
from producers.services.orders.store import prune_idempotency_keys

SERVICE = Service(
    name="orders",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(prune_idempotency_keys, settle_returns_of_before),
    private_tables=("how_to_pay",),  # it has payment tokens
)
