"""The payments service: its endpoints and workers."""

from producers.payments.charge_worker import run_charge_worker
from producers.payments.endpoints import router
from producers.payments.handlers import SUBSCRIPTIONS
from producers.service import Service

SERVICE = Service(
    name="payments",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_charge_worker,),
)
