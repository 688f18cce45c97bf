"""The inventory service: its events, subscriptions, endpoints and workers."""

from producers.inventory.endpoints import router
from producers.inventory.handlers import SUBSCRIPTIONS
from producers.inventory.reservation_expiry import expire_reservations
from producers.service import Service

INVENTORY = Service(
    name="inventory",
    emits=("stock_reserved", "stock_refused", "stock_released", "stock_changed"),
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(expire_reservations,),
    readable_tables={"sellers": ("listings",)},
)
