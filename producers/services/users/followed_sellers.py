"""Follows and unfollows sellers."""

from collections.abc import Sequence

from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.services.users import followed_store, store
from producers.services.users.followed_store import FollowedSeller
from producers.services.users.model import MAX_FOLLOWED_SELLERS
from producers.services.users.problems import NotSellingNow, TooManyFollowedSellers, UnknownPerson


async def follow(transactions: Transactions, user_id: str, seller_id: str) -> Sequence[FollowedSeller]:
    """Record that a person follows a seller, and return all that they follow. A second time changes nothing.

    Raises:
        UnknownPerson: they were erased.
        NotSellingNow: nobody with this id may sell now.
        TooManyFollowedSellers: they follow as many as they may.
    """
    async with transactions.begin(Trace("")) as tx:
        if await store.lock_person(tx, user_id) is None:
            raise UnknownPerson
        known = await followed_store.find_followed(tx.sql, user_id)
        if any(seller.seller_id == seller_id for seller in known):
            return known
        if not await followed_store.is_approved(tx.sql, seller_id):
            raise NotSellingNow(seller_id)
        if len(known) >= MAX_FOLLOWED_SELLERS:
            raise TooManyFollowedSellers
        await followed_store.save_followed(tx, user_id, seller_id)
        return await followed_store.find_followed(tx.sql, user_id)


async def unfollow(transactions: Transactions, user_id: str, seller_id: str) -> Sequence[FollowedSeller]:
    """Record that a person follows a seller no more, and return those that they still follow."""
    async with transactions.begin(Trace("")) as tx:
        await followed_store.delete_followed(tx, user_id, seller_id)
        return await followed_store.find_followed(tx.sql, user_id)
