"""The orders service: what it emits, what it acts on, where it is reached, what it does by itself."""

from producers.orders.endpoints import router
from producers.orders.forgetting import forget_keys
from producers.orders.handlers import SUBSCRIPTIONS
from producers.service import Service

ORDERS = Service(
    name="orders",
    emits=("order_placed", "order_confirmed", "order_cancelled"),
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(forget_keys,),
)
