"""The sellers service: its endpoints and worker."""

from producers.kit.http.peers import Peers
from producers.kit.makers import Makers
from producers.kit.service import Service
from producers.services.sellers.endpoints import router
from producers.services.sellers.handlers import SUBSCRIPTIONS
from producers.services.sellers.invitations import prune_tables

SERVICE = Service(
    name="sellers",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(prune_tables,),
    private_tables=("staff_invitations",),
    context=lambda settings: Makers(Peers(settings, "sellers")),
)
