"""The payments service: its endpoints and workers."""

from producers.kit.service import Service
from producers.services.payments.charge_worker import run_charge_worker
from producers.services.payments.endpoints import router
from producers.services.payments.handlers import SUBSCRIPTIONS

SERVICE = Service(
    name="payments",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_charge_worker,),
)
