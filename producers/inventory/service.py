"""The inventory service: what it emits, what it acts on, where it is reached, what it does by itself."""

from producers.inventory.endpoints import router
from producers.inventory.expiring import expire
from producers.inventory.handlers import SUBSCRIPTIONS
from producers.service import Service

INVENTORY = Service(
    name="inventory",
    emits=("stock_reserved", "stock_refused", "stock_released", "stock_changed"),
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(expire,),
)
