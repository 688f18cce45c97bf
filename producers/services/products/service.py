"""The products service: its endpoints, subscriptions and workers."""

from fastapi import APIRouter

from producers.kit.service import Service
from producers.services.products import endpoints, pictures
from producers.services.products.handlers import SUBSCRIPTIONS
from producers.services.products.holidays import run_holidays
from producers.services.products.picture_storage import open_storage
from producers.services.products.store import run_first_categories

router = APIRouter()
router.include_router(endpoints.router)
router.include_router(pictures.router)

SERVICE = Service(
    name="products",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(run_first_categories, run_holidays, pictures.run_pictures, pictures.run_picture_removal),
    expiring=lambda _settings: {"refused pictures": (pictures.REFUSED_AGE, pictures.PRUNE_REFUSED)},
    private_tables=("pictures", "sent_files", "stored_responses"),
    context=open_storage,
)
