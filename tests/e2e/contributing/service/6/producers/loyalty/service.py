"""The loyalty service. It reads events of payments and emits none."""

from producers.loyalty.endpoints import router
from producers.loyalty.handlers import SUBSCRIPTIONS
from producers.service import Service

LOYALTY = Service(name="loyalty", emits=(), subscriptions=SUBSCRIPTIONS, router=router)
