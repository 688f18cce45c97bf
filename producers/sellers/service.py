"""The sellers service: its endpoints and worker."""

from producers.http.peers import Peers
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
    private_tables=("staff_invitations",),
    context=lambda settings: Makers(Peers(settings, "sellers")),
)
