"""The loyalty service: its endpoints and its handlers of events."""

from producers.loyalty.endpoints import router
from producers.loyalty.handlers import SUBSCRIPTIONS
from producers.service import Service

SERVICE = Service(name="loyalty", subscriptions=SUBSCRIPTIONS, router=router)
