"""The reviews service: its endpoints and subscriptions."""

from producers.kit.http.peers import Peers
from producers.kit.service import Service
from producers.services.reviews.endpoints import router
from producers.services.reviews.handlers import SUBSCRIPTIONS

SERVICE = Service(
    name="reviews",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    private_tables=("reviews", "opinions", "erased_shoppers", "stored_responses"),
    context=lambda settings: Peers(settings, "reviews"),
)
