"""Who may use the endpoints: owners and managers change alerts, reports and views, analysts see them."""

from collections.abc import Mapping
from dataclasses import replace

from common.access_policy import AccessPolicy, allow
from common.principal import FIGURES_STAFF
from producers.alerts.model import WRITERS

SELLER = "seller_id"

READ = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=FIGURES_STAFF, seller_parameter=SELLER, scope="analytics:read",
)  # fmt: skip
WRITE = allow("seller", "admin", traffic="write", staff=WRITERS, seller_parameter=SELLER)

POLICIES: Mapping[str, AccessPolicy] = {
    "list_rules": READ,
    "list_messages": READ,
    "create_rule": replace(WRITE, secret_response=True),
    "change_rule": replace(WRITE, secret_response=True),
    "delete_rule": WRITE,
    "pause_rule": WRITE,
    "resume_rule": WRITE,
    "test_rule": WRITE,
    "list_reports": READ,
    "create_report": WRITE,
    "delete_report": WRITE,
    "pause_report": WRITE,
    "resume_report": WRITE,
    "summarise_messages": allow("platform", traffic="operations"),
    "list_subscriptions": allow("platform", traffic="operations"),
    "forget_person": allow("platform", traffic="operations"),
    "list_views": READ,
    "save_view": WRITE,
    "delete_view": WRITE,
}
