"""Exports all that the shop keeps of a person."""

from dataclasses import asdict
from typing import Any

from producers.kit.outbox.transaction import Transactions
from producers.services.users import (
    mail_store,
    recommendation_mail_store,
    session_store,
    sign_in_store,
    store,
)
from producers.services.users.access_tokens import find_shopper_ids, roles_of
from producers.services.users.context import UsersContext
from producers.services.users.followed_store import find_followed
from producers.services.users.problems import UnknownPerson


async def export(transactions: Transactions, context: UsersContext, user_id: str) -> dict[str, Any]:
    """Return all that is kept of a person, as JSON. Neither the password's hash nor a token is in it.

    Raises:
        UnknownPerson: they were erased.
        ServiceNotReady: orders, reviews or alerts does not answer.
        KeysNotReady: the person's key can't be read.
    """
    async with transactions.connection() as sql:
        person = await store.find_person(sql, user_id)
        if person is None:
            raise UnknownPerson
        sellers = await store.find_memberships(sql, user_id)
        shopper_ids = await find_shopper_ids(sql, context.pseudonyms, person, None)
        agreement = await recommendation_mail_store.find_agreement(sql, user_id)
        exported = {
            "exported_at": transactions.clock(),
            "profile": {
                "user_id": person.user_id,
                "email": person.email,
                "name": person.name,
                "roles": sorted(roles_of(person.role, sellers)),
                "verified_at": person.verified_at,
                "shopper_id": shopper_ids[0],
                "guest_ids": list(shopper_ids[1:]),
                "sellers": sellers,
            },
            "addresses": [asdict(address) for address in await store.find_addresses(sql, user_id)],
            "sessions": await session_store.find_all_sessions(sql, user_id),
            "sign_ins": await sign_in_store.find_sign_ins(sql, user_id),
            "mails": await mail_store.find_mails_of_person(sql, person),
            "mails_with_recommendations": None if agreement is None else asdict(agreement),
            "followed_sellers": [asdict(seller) for seller in await find_followed(sql, user_id)],
        }
    subscriptions = await context.peers.ask("alerts", f"/v1/alert_subscriptions/{user_id}")
    orders = await context.peers.ask("orders", "/v1/orders/exports", {"shopper_ids": shopper_ids})
    reviews = await context.peers.ask("reviews", "/v1/reviews/exports", {"shopper_ids": shopper_ids})
    return {
        **exported,
        "mails_about_sellers": subscriptions["subscriptions"],
        "orders": orders["orders"],
        **reviews,
    }
