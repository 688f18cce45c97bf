"""The alerts service: its endpoints and workers."""

from producers.kit.service import Service
from producers.services.alerts.context import make_context
from producers.services.alerts.delivery import run_delivery
from producers.services.alerts.endpoints import router
from producers.services.alerts.evaluation import run_evaluation
from producers.services.alerts.handlers import SUBSCRIPTIONS
from producers.services.alerts.message_store import MESSAGES_AGE, PRUNE_MESSAGES
from producers.services.alerts.reporting import run_reports

SERVICE = Service(
    name="alerts",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_evaluation, run_delivery, run_reports),
    expiring=lambda _settings: {"messages": (MESSAGES_AGE, PRUNE_MESSAGES)},
    private_tables=("rules", "messages", "reports", "stored_responses"),
    context=make_context,
)
