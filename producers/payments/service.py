"""The payments service: what it emits, what it acts on, where it is reached, what it does by itself."""

from producers.payments.asking import ask
from producers.payments.endpoints import router
from producers.payments.handlers import SUBSCRIPTIONS
from producers.service import Service

PAYMENTS = Service(
    name="payments",
    emits=("payment_captured", "payment_failed", "payment_refunded"),
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(ask,),
)
