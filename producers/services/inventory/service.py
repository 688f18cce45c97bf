"""The inventory service: its endpoints and workers."""

from producers.kit.service import Service
from producers.services.inventory.endpoints import router
from producers.services.inventory.handlers import SUBSCRIPTIONS
from producers.services.inventory.reservation_expiry import expire_reservations
from producers.services.inventory.restock import watch_stock

SERVICE = Service(
    name="inventory",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(expire_reservations, watch_stock),
)
