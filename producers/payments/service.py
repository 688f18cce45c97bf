"""The payments service: its events, subscriptions, endpoints and workers."""

from producers.payments.charge_worker import run_charge_worker
from producers.payments.endpoints import router
from producers.payments.handlers import SUBSCRIPTIONS
from producers.service import Service

PAYMENTS = Service(
    name="payments",
    emits=("payment_captured", "payment_failed", "payment_refunded"),
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_charge_worker,),
    callable_functions={"inventory": ("close_unpaid(uuid, uuid)",)},
)
