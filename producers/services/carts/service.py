"""The carts service: its endpoints and workers."""

from producers.kit.service import Service
from producers.services.carts.abandonment import report_abandoned
from producers.services.carts.endpoints import router
from producers.services.carts.handlers import SUBSCRIPTIONS
from producers.services.carts.model import CART_DAYS
from producers.services.carts.store import EXPIRE_CANCELLED_ORDERS, EXPIRE_CARTS, EXPIRE_TAKEN_LINES

SERVICE = Service(
    name="carts",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(report_abandoned,),
    expiring=lambda _settings: {
        "carts": (CART_DAYS, EXPIRE_CARTS),
        "taken lines": (CART_DAYS, EXPIRE_TAKEN_LINES),
        "cancelled orders": (CART_DAYS, EXPIRE_CANCELLED_ORDERS),
    },
    private_tables=("carts", "lines", "taken_lines", "erased_shoppers", "stored_responses"),
)
