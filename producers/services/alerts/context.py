"""What the endpoints need besides transactions, and the checks of what a request names with it."""

from dataclasses import dataclass

from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.kit.http.problems import require
from producers.kit.makers import USERS
from producers.kit.outbox.transaction import Transaction
from producers.services.alerts import store
from producers.services.alerts.delivery import SECRETS
from producers.services.alerts.figures import FiguresClient, FiguresRefused, FiguresUnavailable
from producers.services.alerts.problems import (
    FIGURES_NOT_READY,
    NO_APPROVED_SELLER,
    NOT_A_READER,
    NOT_BY_PRODUCT,
    UNKNOWN_METRIC,
)
from producers.services.alerts.webhooks import WebhookSender


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


async def require_seller(tx: Transaction, seller_id: str) -> None:
    """Lock a seller, so that limits hold.

    Raises:
        NO_APPROVED_SELLER: there is none, or it may not sell now.
    """
    require(await store.lock_seller(tx, seller_id), NO_APPROVED_SELLER(seller_id=seller_id))


async def check_metric(figures: FiguresClient, name: str, product_id: str | None = None) -> None:
    """Check that the catalogue has a metric, and that it can be restricted to a product if one is given.

    Raises:
        UNKNOWN_METRIC, NOT_BY_PRODUCT: it has none, or it can't.
        FIGURES_NOT_READY: the catalogue can't be read.
    """
    try:
        metric = require(await figures.definition(name), UNKNOWN_METRIC(name=name))
    except (FiguresUnavailable, FiguresRefused) as error:
        raise FIGURES_NOT_READY() from error
    if product_id is not None and "product" not in metric.dimensions:
        raise NOT_BY_PRODUCT(metric=metric.title)


async def find_mail_target(peers: Peers, address: str, seller_id: str) -> dict[str, str]:
    """Return the columns of a person who gets mails: their id and their masked address.

    It asks users, so no transaction is open meanwhile.

    Raises:
        NOT_A_READER: nobody with this address may see the seller's figures.
        ServiceNotReady: users does not answer.
    """
    asked = {"email": address, "seller_id": seller_id}
    found = require(await peers.find(USERS, "/v1/people/lookups", asked), NOT_A_READER())
    name, _, domain = address.strip().rpartition("@")
    return {"person_id": found["user_id"], "address_hint": f"{name[:1]}…@{domain}"}
