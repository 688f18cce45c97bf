"""The loyalty service: it acts on payments and emits nothing."""

from producers.loyalty.endpoints import router
from producers.loyalty.handlers import SUBSCRIPTIONS
from producers.service import Service

LOYALTY = Service(name="loyalty", emits=(), subscriptions=SUBSCRIPTIONS, router=router)
