"""The users service: its endpoints and workers."""

from producers.kit.service import Service
from producers.services.users.context import make_context
from producers.services.users.endpoints import router
from producers.services.users.handlers import SUBSCRIPTIONS
from producers.services.users.recommendation_mails import run_recommendation_mails
from producers.services.users.retention import KEPT
from producers.services.users.signing_keys import rotate_keys

SERVICE = Service(
    name="users",
    subscriptions=SUBSCRIPTIONS,
    router=router,
    workers=(rotate_keys, run_recommendation_mails),
    expiring=lambda _settings: KEPT,
    private_tables=(
        *(
            "people",
            "person_keys",
            "guest_ids",
            "registrations",
            "mailed_tokens",
            "sessions",
            "refresh_tokens",
        ),
        *("sign_ins", "throttles", "addresses", "mails", "signing_keys", "revocations", "demo_memberships"),
        *("staff_roles", "former_staff_roles"),
        *("recommendation_mails", "followed_sellers"),
        "stored_responses",
    ),
    context=make_context,
)
