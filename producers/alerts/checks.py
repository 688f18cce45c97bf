"""Checks what a request names: the seller, a metric, and the address of a person who gets mails."""

from producers.alerts import store
from producers.alerts.figures import FiguresClient, FiguresRefused, FiguresUnavailable
from producers.alerts.problems import FiguresNotReady, NoApprovedSeller, NotAReader, UnknownMetric
from producers.outbox.transaction import Transaction


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


async def find_mail_target(tx: Transaction, address: str, seller_id: str) -> dict[str, str]:
    """Return the columns of a person who gets mails: their id and their masked address.

    Raises:
        NotAReader: nobody with this address may see the seller's figures.
    """
    person_id = await store.find_reader(tx.sql, address, seller_id)
    if person_id is None:
        raise NotAReader
    name, _, domain = address.strip().rpartition("@")
    return {"person_id": person_id, "address_hint": f"{name[:1]}…@{domain}"}
