"""The products service: its endpoints, subscriptions and workers."""

from producers.kit.service import Service
from producers.services.products.endpoints import router
from producers.services.products.handlers import SUBSCRIPTIONS
from producers.services.products.holidays import run_holidays
from producers.services.products.store import run_first_categories

SERVICE = Service(
    name="products",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_first_categories, run_holidays),
    private_tables=("stored_responses",),
)
