"""How the threads of a pool are divided between clients."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from clickhouse.sql_guard.errors import DatabaseError
from local.embedded_clickhouse.worker_pool import WorkerPool


def test_four_queries_of_one_client_leave_threads_to_others() -> None:
    async def scenario() -> list[str]:
        pool, hanging = WorkerPool("reader", 4, 10, share=2), threading.Event()
        stuck = [pool.start(hanging.wait, "greedy") for _ in range(4)]
        answers = [await pool.start(lambda: "answered", client) for client in ("other", "another", "other")]
        assert pool.has_queue
        assert not any(future.done() for future in stuck)
        hanging.set()
        await asyncio.gather(*stuck)
        assert pool.busy == 0
        assert not pool.has_queue
        pool.close()
        return answers

    assert asyncio.run(scenario()) == ["answered"] * 3


def test_waiting_clients_are_served_in_turn() -> None:
    async def scenario() -> list[str]:
        pool, order, gate = WorkerPool("reader", 1, 10), list[str](), threading.Event()

        def work(client: str) -> Callable[[], None]:
            return lambda: order.append(client)

        first = pool.start(gate.wait, "first")
        waiting = [pool.start(work(client), client) for client in ("many", "many", "many", "one", "other")]
        gate.set()
        await asyncio.gather(first, *waiting)
        pool.close()
        return order

    assert asyncio.run(scenario()) == ["many", "one", "other", "many", "many"]


def test_a_client_takes_half_of_the_queue_and_all_clients_take_all_of_it() -> None:
    async def scenario() -> None:
        pool, gate = WorkerPool("reader", 2, 8, share=1), threading.Event()
        queued = [pool.start(gate.wait, "one") for _ in range(5)]
        with pytest.raises(DatabaseError, match="Current: 5, maximum: 5"):
            pool.start(gate.wait, "one")
        queued += [pool.start(gate.wait, "other") for _ in range(5)]
        with pytest.raises(DatabaseError, match="Current: 10, maximum: 10"):
            pool.start(gate.wait, "third")
        gate.set()
        await asyncio.gather(*queued)
        pool.close()

    asyncio.run(scenario())


def test_an_error_of_a_function_is_that_of_its_caller() -> None:
    async def scenario() -> None:
        pool = WorkerPool("reader", 1, 1)
        with pytest.raises(ZeroDivisionError):
            await pool.start(lambda: 1 // 0)
        assert await pool.start(lambda: "next") == "next"
        pool.close()

    asyncio.run(scenario())
