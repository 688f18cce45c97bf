"""Sends the requests of a service to others, each until it is answered.

What must reach another service but may be in no topic, because it is about a person, is a request: the role
that somebody has at a seller now, or that somebody is to be forgotten. The transaction that decides it writes
the request (`Transaction.request`), so it is sent if and only if the transaction commits. Until it is
answered, the other service does not know it. An endpoint that wants the answer soon calls
`wait_until_answered`.

A request is sent at least once, so a route that takes one is idempotent. Requests to one service are sent in
the order of their positions, one at a time, whichever process sends them: it locks the row meanwhile. A
refusal (4xx) is a bug. The request stays in the table, marked, and an alert fires (`UNEXPECTED_ERRORS`); the
later ones go on.
"""

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import structlog

from common.metrics import REQUESTS_AGE_SECONDS, REQUESTS_WAITING, UNEXPECTED_ERRORS
from common.settings import Settings
from producers.kit.backoff import Backoff
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from producers.kit.outbox.transaction import REQUESTS, Transaction, Transactions
from producers.kit.postgres.errors import RETRYABLE, closed_is_transient
from producers.kit.postgres.pool import connect
from producers.kit.postgres.statements import statement

log = structlog.get_logger()

WORKER = "requests"
CHECK_EVERY_S = 15.0
"""How often a process looks for requests of others. Those of its own transactions are sent at once."""

ANSWER_TIMEOUT_S = 2.0
"""How long an endpoint waits until its requests are answered."""

_POLL_S = 0.02

_UNANSWERED: tuple[type[Exception], ...] = (ServiceNotReady, *RETRYABLE)
_NOT_YET: tuple[type[Exception], ...] = (TimeoutError, *RETRYABLE)


class RequestSender:
    """Sends the requests of one service, which `transactions` are those of."""

    def __init__(self, service: str, transactions: Transactions, settings: Settings) -> None:
        self._service = service
        self._transactions = transactions
        self._settings = settings

    @cached_property
    def _peers(self) -> Peers:
        return Peers(self._settings, self._service)

    async def run(self) -> None:
        """Send requests until cancelled, to each service independently of the others."""
        UNEXPECTED_ERRORS.labels(self._service, WORKER)  # creates the series with 0, which the alert needs
        notifier, sending = self._transactions.notifier, dict[str, asyncio.Task[None]]()
        wake = notifier.listen(self._settings, REQUESTS)  # is never opened: this process alone ends its waits
        backoff = Backoff(f"{self._service} requests")

        def ended(task: "asyncio.Task[None]") -> None:
            del sending[task.get_name()]
            wake.notify()  # the last look of the task may have been before the newest commit

        with notifier.local_listener(REQUESTS, wake):
            async with asyncio.TaskGroup() as group:
                while True:
                    wake.clear()
                    try:
                        services = await self._find_services()
                    except RETRYABLE as error:
                        await backoff.wait(error)
                        continue
                    backoff.reset()
                    for service in services - sending.keys():
                        sending[service] = group.create_task(self._send_to(service), name=service)
                        sending[service].add_done_callback(ended)
                    await wake.wait(CHECK_EVERY_S)

    async def _find_services(self) -> set[str]:
        """Return the services to which requests wait, and measure these."""
        async with self._transactions.connection() as sql:
            rows = await _count_by_service(sql)
        REQUESTS_WAITING.labels(self._service).set(sum(row["waiting"] for row in rows))
        REQUESTS_AGE_SECONDS.labels(self._service).set(max((row["oldest_s"] for row in rows), default=0.0))
        return {row["service"] for row in rows}

    async def _send_to(self, service: str) -> None:
        """Send the requests to a service, until there are none."""
        backoff = Backoff(f"{self._service} requests to {service}")
        while True:
            try:
                await self._send_all(service, backoff)
            except _UNANSWERED as error:
                await backoff.wait(error)
            else:
                return

    async def _send_all(self, service: str, backoff: Backoff) -> None:
        """Send requests on a connection of its own, because a transaction is open while a service is asked.

        Its name keeps the transaction out of `outbox/progress.py`: it emits nothing.
        """
        connection = await connect(self._settings, self._service)
        try:
            with closed_is_transient(connection.is_closed):
                await connection.execute("SET application_name TO 'souk requests'")
                while await self._send_next(connection, service):
                    backoff.reset()
        finally:
            connection.terminate()

    async def _send_next(self, connection: Any, service: str) -> bool:
        """Send the oldest request to a service; return False if there is none."""
        async with connection.transaction():
            row = await _lock_next(connection, service)
            if row is None:
                return False
            response = await self._peers.send(service, row["method"], row["path"], row["body"])
            if response.is_success:
                await _delete(connection, row["position"])
                return True
            await _refuse(connection, row["position"], response.status_code)
        # The path, the body and the response may name a person.
        refusal = {"service": service, "position": row["position"], "status": response.status_code}
        log.error("a request was refused", worker=WORKER, **refusal)
        UNEXPECTED_ERRORS.labels(self._service, WORKER).inc()
        return True


async def wait_until_answered(transactions: Transactions, tx: Transaction) -> None:
    """Wait until the requests of a committed transaction are answered, at most `ANSWER_TIMEOUT_S`."""
    if not tx.requested:
        return
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while await _are_waiting(transactions, tx.requested):
                await asyncio.sleep(_POLL_S)
    except _NOT_YET:  # it is sent later
        log.warning("a request is not answered yet", worker=WORKER)


async def _are_waiting(transactions: Transactions, positions: Sequence[int]) -> bool:
    async with transactions.connection() as sql:
        return await _is_one_waiting(sql, positions)


@statement("""
    SELECT
        service, count(*) AS waiting,
        extract(epoch FROM clock_timestamp() - min(requested_at))::float8 AS oldest_s
    FROM requests
    WHERE refused IS NULL
    GROUP BY service
""")
async def _count_by_service(sql: Any) -> list[dict[str, Any]]:
    """Return how many requests wait, and for how long, by the service to which they go."""


@statement("""
    SELECT position, method, path, body
    FROM requests
    WHERE service = $service::text AND refused IS NULL
    ORDER BY position
    LIMIT 1
    FOR UPDATE
""")
async def _lock_next(sql: Any, service: str) -> dict[str, Any] | None:
    """Lock and return the oldest request to a service; None if none waits."""


@statement("DELETE FROM requests WHERE position = $position::bigint")
async def _delete(sql: Any, position: int) -> None:
    """Delete a request that was answered."""


@statement("UPDATE requests SET refused = $status::integer WHERE position = $position::bigint")
async def _refuse(sql: Any, position: int, status: int) -> None:
    """Mark a request as refused with a status."""


@statement(
    "SELECT EXISTS (SELECT FROM requests WHERE position = ANY ($positions::bigint[]) AND refused IS NULL)"
)
async def _is_one_waiting(sql: Any, positions: Sequence[int]) -> bool:
    """Return whether one of these requests is not answered yet."""
