"""Ends the demo, because a real person is registered now."""

from producers.outbox.transaction import Transaction
from producers.users import store


async def end_demo(tx: Transaction) -> None:
    """Disable the demo, end the sessions of its people, and revoke their access tokens."""
    await store.lock_demo(tx)
    await store.set_demo(tx, False)
    for user_id in await store.find_demo_people(tx):
        await store.lock_person(tx, user_id)
        for session_id in await store.end_sessions(tx, user_id, tx.now):
            await store.revoke_session(tx, session_id, tx.now)
