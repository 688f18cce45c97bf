"""The inventory service: its endpoints and workers."""

from producers.inventory.endpoints import router
from producers.inventory.handlers import SUBSCRIPTIONS
from producers.inventory.reservation_expiry import expire_reservations
from producers.service import Service

SERVICE = Service(
    name="inventory",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(expire_reservations,),
)
