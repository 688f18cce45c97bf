"""Ends the demo, because a real person is registered now."""

from producers.kit.outbox.transaction import Transaction
from producers.services.users import demo_store, session_store, store


async def end_demo(tx: Transaction) -> None:
    """Disable the demo, end the sessions of its people and what they made, and revoke their access tokens."""
    await demo_store.lock_demo(tx)
    await demo_store.set_demo(tx, False)
    await demo_store.end_rights(tx)
    for user_id in await demo_store.find_demo_people(tx):
        await store.lock_person(tx, user_id)
        for session_id in await session_store.end_sessions(tx, user_id, tx.now):
            await session_store.revoke_session(tx, session_id, tx.now)
