"""The alerts service: its endpoints and workers."""

from producers.alerts.context import make_context
from producers.alerts.delivery import run_delivery
from producers.alerts.endpoints import router
from producers.alerts.evaluation import run_evaluation
from producers.alerts.handlers import SUBSCRIPTIONS
from producers.alerts.reporting import run_reports
from producers.alerts.retention import prune_messages
from producers.service import Service

SERVICE = Service(
    name="alerts",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_evaluation, run_delivery, run_reports, prune_messages),
    private_tables=("rules", "messages", "reports", "stored_responses"),
    context=make_context,
)
