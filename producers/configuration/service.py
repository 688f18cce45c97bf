"""The configuration service: its endpoints and worker."""

from producers.configuration.endpoints import router
from producers.configuration.guardrails import run_guardrails
from producers.configuration.handlers import SUBSCRIPTIONS
from producers.service import Service

SERVICE = Service(
    name="configuration",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_guardrails,),
)
