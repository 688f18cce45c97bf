"""The demo: one real session in a role by one request, as long as no real person is registered."""

import hashlib

from common.ids import new_id
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.services.users import demo_store, store
from producers.services.users.context import UsersContext
from producers.services.users.problems import DemoUnavailable, SellerMissing
from producers.services.users.registration import insert_person
from producers.services.users.schemas import DemoSessionRequest, TokensResponse
from producers.services.users.session_store import Client
from producers.services.users.sessions import open_session


async def enable_demo(transactions: Transactions) -> bool:
    """Enable the demo; return whether it is available: not where a real person is registered."""
    async with transactions.begin(Trace("")) as tx:
        await demo_store.set_demo(tx, True)
        return await demo_store.is_demo_available(tx.sql)


async def open_demo_session(
    transactions: Transactions, context: UsersContext, request: DemoSessionRequest, client: Client
) -> TokensResponse:
    """Open a session of a demo person, who is made if they do not exist yet.

    Raises:
        DemoUnavailable: the demo is not enabled, or a real person is registered.
        SellerMissing: the role is `seller`, and the request names no seller.
    """
    if request.role == "seller" and request.seller_id is None:
        raise SellerMissing
    seller_id = request.seller_id if request.role == "seller" else None
    role = request.role if request.role in ("analyst", "admin") else None
    email = demo_email(request.role, request.shopper_id, seller_id)
    async with transactions.begin(Trace("")) as tx:
        if not await demo_store.lock_demo(tx):
            raise DemoUnavailable
        user_id = await store.find_person_by_email(tx.sql, email)
        person = await store.lock_person(tx, user_id) if user_id else None
        if person is None:
            name = request.role if seller_id is None else f"{request.role} {seller_id}"
            shopper_id = request.shopper_id or new_id()
            person = await insert_person(tx, context, shopper_id, email, name[:100], role=role, is_demo=True)
            if person is None:
                raise DemoUnavailable
            if seller_id is not None:
                await demo_store.insert_demo_membership(tx, person.user_id, seller_id)
        return await open_session(tx, transactions.clock, context, person, client)


def demo_email(role: str, shopper_id: str | None, seller_id: str | None) -> str:
    """Return what a demo person has instead of an e-mail address. Nothing can be sent to it (RFC 2606)."""
    who = "\0".join((shopper_id or "", seller_id or ""))
    return f"{role}.{hashlib.sha256(who.encode()).hexdigest()[:16]}@demo.invalid"
