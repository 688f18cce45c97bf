"""The sellers service: its endpoints."""

from datetime import timedelta

from producers.kit.http.peers import Peers
from producers.kit.makers import Makers
from producers.kit.service import Service
from producers.services.sellers.endpoints import router
from producers.services.sellers.handlers import SUBSCRIPTIONS
from producers.services.sellers.invitations import PRUNE_INVITATIONS

SERVICE = Service(
    name="sellers",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    expiring=lambda _settings: {"invitations": (timedelta(0), PRUNE_INVITATIONS)},
    private_tables=("staff_invitations",),
    context=lambda settings: Makers(Peers(settings, "sellers")),
)
