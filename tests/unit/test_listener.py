"""A listener to PostgreSQL's notifications waits without connection here."""

import asyncio

import pytest

from common.settings import Settings
from producers.kit.postgres.listen_notify import Listener


@pytest.mark.parametrize("steps_between", range(6))
def test_a_cancellation_is_never_lost_to_a_notification_of_the_same_moment(steps_between: int) -> None:
    async def is_cancelled() -> bool:
        listener = Listener(Settings(), "orders", "outbox")

        async def work() -> None:
            while True:
                listener.clear()
                await listener.wait(60)

        worker = asyncio.create_task(work())
        await asyncio.sleep(0.01)
        listener.notify()
        for _ in range(steps_between):
            await asyncio.sleep(0)
        worker.cancel()
        await asyncio.wait({worker}, timeout=5)
        return worker.done()

    assert asyncio.run(is_cancelled())


def test_a_wait_ends_with_a_notification_or_its_timeout() -> None:
    async def seen() -> list[bool]:
        listener = Listener(Settings(), "orders", "outbox")
        await listener.wait(0.01)
        before = listener.is_notified
        listener.notify()
        await listener.wait(60)
        return [before, listener.is_notified]

    assert asyncio.run(seen()) == [False, True]
