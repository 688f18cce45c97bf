"""Who may use the endpoints: owners and managers change alerts, reports and views, analysts see them."""

from dataclasses import replace

from common.access_policy import allow
from common.principal import FIGURES_STAFF
from producers.services.alerts.model import WRITERS

SELLER = "seller_id"

READ = allow(
    "seller", "analyst", "admin", "platform",
    traffic="read", staff=FIGURES_STAFF, seller_parameter=SELLER, scope="analytics:read",
)  # fmt: skip
WRITE = allow("seller", "admin", traffic="write", staff=WRITERS, seller_parameter=SELLER)
WRITE_WITH_SECRET = replace(WRITE, secret_response=True)
"""Of rules: the response has the secret of a new webhook."""
