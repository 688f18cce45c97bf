"""The orders service: its endpoints and workers."""

from producers.orders.endpoints import router
from producers.orders.handlers import SUBSCRIPTIONS
from producers.orders.key_retention import prune_idempotency_keys
from producers.service import Service

SERVICE = Service(
    name="orders",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(prune_idempotency_keys,),
    callable_functions={"inventory": ("begin_return(uuid)",), "payments": ("begin_return(uuid)",)},
)
