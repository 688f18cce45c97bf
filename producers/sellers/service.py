"""The sellers service: its events, subscriptions and endpoints."""

from producers.sellers.endpoints import router
from producers.sellers.handlers import SUBSCRIPTIONS
from producers.service import Service

SELLERS = Service(
    name="sellers",
    emits=("seller_registered", "seller_approved"),
    subscriptions=SUBSCRIPTIONS,
    router=router,
    readable_tables={"users": ("staff", "sellers"), "orders": ("commission_rules",)},
    callable_functions={
        "orders": ("commissions_bp(text, text, text, bigint, integer[], timestamptz)",),
        "users": ("forget_user(uuid, text)", "revoke_keys_of_user(uuid, text)"),
    },
)
