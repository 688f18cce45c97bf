"""The orders service: its endpoints and workers."""

from producers.orders.endpoints import router
from producers.orders.handlers import SUBSCRIPTIONS
from producers.orders.key_retention import prune_idempotency_keys
from producers.orders.returns_of_before import settle_returns_of_before
from producers.service import Service

SERVICE = Service(
    name="orders",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(prune_idempotency_keys, settle_returns_of_before),
    private_tables=("how_to_pay",),  # it has payment tokens
)
