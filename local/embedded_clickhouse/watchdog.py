"""Ends the server process if a call of a function outlives the time limit of its query.

The engine checks `max_execution_time` and `KILL QUERY` between blocks of rows, so a call for one block that
does not return can only be ended with its process. `call_bounds` refuses such calls; the watchdog is for
those that it does not know. Supervision starts the server again, and no acknowledged row is lost, as after
`kill -9`. A file tells the new process which client to refuse for a while.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path

import structlog

from clickhouse.sql_guard.errors import DatabaseError
from common.file_replacement import replace_file
from common.metrics import CLICKHOUSE_ENDED_AT

log = structlog.get_logger()

GRACE_S = 10.0
"""How long a query may outlive its time limit. After half of it, the query is cancelled once more."""

BAN_S = 600.0
"""How long the client of a query that did not end is refused."""

EXIT_CODE = 70
"""The exit code of a server that ended itself."""

_INTERVAL_S = 0.25
_MAX_ENDS = 100
_LOGGED_CHARACTERS = 2_000

Client = tuple[str, str]
"""The name of a user, and where its queries come from (`place_of`)."""


def place_of(address: str) -> str:
    """Return where a client is: its address, without what a client can choose freely.

    A program on this machine has every address of the loopback network, and one with IPv6 those of its /64.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        return "this machine"
    return str(ip) if ip.version == 4 else str(ip_network((ip, 64), strict=False))


@dataclass(frozen=True)
class Ended:
    """An end of the server: whose query did not end, and when, in Unix time."""

    user: str
    address: str
    at: float


@dataclass(eq=False)
class _Running:
    client: Client
    text: bytes
    limit_s: float
    cancel: Callable[[], None]
    started: float = field(default_factory=time.monotonic)
    is_cancelled: bool = False


class Watchdog:
    """The running queries with a time limit, and the clients whose queries are refused.

    `file` keeps the ends of the server. `end_process` gets the exit code.
    """

    def __init__(self, file: Path, end_process: Callable[[int], None] = os._exit) -> None:
        self._file = file
        self._end_process = end_process
        self._lock = threading.Lock()
        self._running: set[_Running] = set()
        self._stopping = threading.Event()
        self._ends = _read(file)
        for end in self._ends:
            CLICKHOUSE_ENDED_AT.labels(end.user).set(end.at)

    def start(self) -> None:
        """Start the thread of the watchdog."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop the thread of the watchdog."""
        self._stopping.set()

    def log_ready(self) -> None:
        """Log how long queries were refused, if the watchdog ended the last process."""
        if self._ends and not self._ends[-1].at < time.time() - BAN_S:
            log.warning(
                "ready again after an endless query",
                user=self._ends[-1].user,
                seconds=round(time.time() - self._ends[-1].at, 1),
            )

    def check_client(self, client: Client) -> None:
        """Refuse a client whose query did not end.

        Raises:
            DatabaseError: 201, with the HTTP status 429.
        """
        left = max(
            (end.at + BAN_S - time.time() for end in self._ends if (end.user, end.address) == client),
            default=0,
        )
        if left > 0:
            message = (
                f"A query of {client[0]} from {client[1]} did not end at its time limit, and ClickHouse "
                f"had to restart. Further queries are refused for {left:.0f} s."
            )
            raise DatabaseError(201, "QUOTA_EXCEEDED", message)

    @contextmanager
    def watch(
        self, client: Client, text: bytes, limit_s: float, cancel: Callable[[], None]
    ) -> Iterator[None]:
        """Watch a query while the context is open.

        `cancel` is called from another thread if the query outlives its limit, so that a query that only
        waits for its client ends.
        """
        query = _Running(client, text, limit_s, cancel)
        with self._lock:
            self._running.add(query)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(query)

    def _watch(self) -> None:
        while not self._stopping.wait(_INTERVAL_S):
            with self._lock:
                running = list(self._running)
            for query in running:
                over_s = time.monotonic() - query.started - query.limit_s
                if over_s > GRACE_S / 2 and not query.is_cancelled:
                    query.is_cancelled = True
                    query.cancel()
                if over_s > GRACE_S:
                    self._end(query)

    def _end(self, query: _Running) -> None:
        """Write down whose query it is, and end the process."""
        user, address = query.client
        ends = [*self._ends, Ended(user, address, time.time())][-_MAX_ENDS:]
        replace_file(self._file, json.dumps([asdict(end) for end in ends]))
        log.error(
            "a query did not end: restarting",
            user=user,
            address=address,
            limit_s=query.limit_s,
            query=query.text.decode(errors="replace")[:_LOGGED_CHARACTERS],
        )
        self._end_process(EXIT_CODE)


def _read(file: Path) -> list[Ended]:
    """Return the ends in a file; none if it is missing or broken."""
    try:
        return [
            Ended(str(end["user"]), str(end["address"]), float(end["at"]))
            for end in json.loads(file.read_text())
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
