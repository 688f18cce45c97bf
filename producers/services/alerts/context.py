"""What the endpoints need besides transactions; each process makes it once."""

from dataclasses import dataclass

from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.services.alerts.delivery import SECRETS
from producers.services.alerts.figures import FiguresClient
from producers.services.alerts.webhook_sender import WebhookSender


@dataclass(frozen=True, slots=True)
class AlertsContext:
    """`secret_key` encrypts the secrets of webhooks. `timezone` is the shop's, `site` its base URL.

    `peers` asks other services.
    """

    figures: FiguresClient
    sender: WebhookSender
    peers: Peers
    secret_key: bytes
    timezone: str
    site: str


def make_context(settings: Settings) -> AlertsContext:
    """Return the context of a process.

    Raises:
        UserError: the settings have no `internal_secret`.
    """
    return AlertsContext(
        FiguresClient(settings),
        WebhookSender(settings.webhooks_to_internal_hosts),
        Peers(settings, "alerts"),
        derived_key(settings, SECRETS),
        settings.shop_timezone,
        settings.public,
    )
