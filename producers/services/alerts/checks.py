"""Checks what a request names: the seller, a metric, and the address of a person who gets mails."""

from producers.kit.http.peers import Peers
from producers.kit.makers import USERS
from producers.kit.outbox.transaction import Transaction
from producers.services.alerts import store
from producers.services.alerts.figures import FiguresClient, FiguresRefused, FiguresUnavailable
from producers.services.alerts.problems import FiguresNotReady, NoApprovedSeller, NotAReader, UnknownMetric


async def require_seller(tx: Transaction, seller_id: str) -> None:
    """Lock a seller, so that limits hold.

    Raises:
        NoApprovedSeller: there is none, or it may not sell now.
    """
    if not await store.lock_seller(tx, seller_id):
        raise NoApprovedSeller(seller_id)


async def check_metric(figures: FiguresClient, name: str, product_id: str | None = None) -> None:
    """Check that the catalogue has a metric, and that it can be restricted to a product if one is given.

    Raises:
        UnknownMetric: it has none, or it can't.
        FiguresNotReady: the catalogue can't be read.
    """
    try:
        metric = await figures.definition(name)
    except (FiguresUnavailable, FiguresRefused) as error:
        raise FiguresNotReady from error
    if metric is None:
        raise UnknownMetric(
            f"The catalogue has no metric {name!r}. GET /v1/analytics/metrics lists all of them."
        )
    if product_id is not None and "product" not in metric.dimensions:
        raise UnknownMetric(f"{metric.title} can't be restricted to a product. Leave product_id out.")


async def find_mail_target(peers: Peers, address: str, seller_id: str) -> dict[str, str]:
    """Return the columns of a person who gets mails: their id and their masked address.

    It asks users, so no transaction is open meanwhile.

    Raises:
        NotAReader: nobody with this address may see the seller's figures.
        ServiceNotReady: users does not answer.
    """
    found = await peers.find(USERS, "/v1/people/lookups", {"email": address, "seller_id": seller_id})
    if found is None:
        raise NotAReader
    name, _, domain = address.strip().rpartition("@")
    return {"person_id": found["user_id"], "address_hint": f"{name[:1]}…@{domain}"}
