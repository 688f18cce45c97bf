"""The loyalty service: its endpoints and its handlers of events."""

from producers.kit.service import Service
from producers.services.loyalty.endpoints import router
from producers.services.loyalty.handlers import SUBSCRIPTIONS

SERVICE = Service(name="loyalty", subscriptions=SUBSCRIPTIONS, router=router)
