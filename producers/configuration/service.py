"""The configuration service: its endpoints and functions."""

from producers.configuration.endpoints import router
from producers.configuration.guardrails import run_guardrails
from producers.configuration.handlers import SUBSCRIPTIONS
from producers.service import Service

SERVICE = Service(
    name="configuration",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_guardrails,),
    callable_functions={"users": ("forget_author(text)",)},
)
