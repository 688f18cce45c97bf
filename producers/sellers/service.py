"""The sellers service: its endpoints and worker."""

from producers.makers import Makers
from producers.sellers.endpoints import router
from producers.sellers.handlers import SUBSCRIPTIONS
from producers.sellers.retention import prune_tables
from producers.service import Service

SERVICE = Service(
    name="sellers",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(prune_tables,),
    readable_tables={"users": ("staff", "sellers")},
    callable_functions={
        "users": ("forget_user(uuid, text)",),
    },
    private_tables=("staff_invitations",),
    context=lambda settings: Makers(settings, "sellers"),
)
