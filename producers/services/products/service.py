"""The products service: its endpoints, subscriptions and workers."""

from fastapi import APIRouter

from producers.kit.service import Service
from producers.services.products import (
    endpoints,
    import_worker,
    imports,
    picture_store,
    picture_worker,
    pictures,
    workers,
)
from producers.services.products.handlers import SUBSCRIPTIONS
from producers.services.products.picture_storage import open_storage

router = APIRouter()
for part in (endpoints.router, pictures.router, imports.router):
    router.include_router(part)

SERVICE = Service(
    name="products",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(
        workers.run_first_categories,
        workers.run_holidays,
        picture_worker.run_pictures,
        picture_worker.run_picture_removal,
        import_worker.run_imports,
    ),
    expiring=lambda _settings: {
        "refused pictures": (picture_store.REFUSED_AGE, picture_store.PRUNE_REFUSED),
        "imports": (imports.KEPT_FOR, imports.PRUNE_IMPORTS),
    },
    private_tables=("pictures", "sent_files", "stored_responses"),
    context=open_storage,
)
