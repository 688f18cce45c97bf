"""The configuration service: its endpoints and worker."""

from producers.kit.service import Service
from producers.services.configuration.endpoints import router
from producers.services.configuration.guardrails import run_guardrails
from producers.services.configuration.handlers import SUBSCRIPTIONS

SERVICE = Service(
    name="configuration",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_guardrails,),
)
