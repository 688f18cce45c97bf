"""Declares a commerce service: its handlers, endpoints, workers and tables."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from common.settings import Settings
from producers.kit.inbox.subscription import Subscription
from producers.kit.outbox.transaction import Transactions
from schemas.services import FILE, SERVICES, WrongServices

KIT = Path(__file__).parent
ROOM = KIT.parent / "services"
"""The folder of the services."""

KIT_MIGRATIONS = {name: KIT / name / "migrations" for name in ("outbox", "inbox", "idempotency", "requests")}
"""The tables that every service has: name of the set → folder of its migrations."""

Worker = Callable[[Transactions, Settings], Coroutine[Any, Any, None]]
"""A task that a service runs beside its requests and events, until cancelled."""

Expiring = Mapping[str, tuple[timedelta, str]]
"""Name of rows → their minimum age, and the DELETE that `kit/postgres/pruning.py` runs every hour."""


@dataclass(frozen=True)
class Service:
    """One service, declared in its `service.py`. Its schema in PostgreSQL has its name.

    What it emits and reads is in `schemas/services.toml`.

    Raises:
        WrongServices: it is not in `services.toml`, or its subscriptions are not what it reads.
    """

    name: str
    subscriptions: tuple[Subscription, ...]
    """The handlers of the events that it reads."""
    router: APIRouter
    """Its endpoints."""
    workers: tuple[Worker, ...] = ()
    expiring: Callable[[Settings], Expiring] = lambda _settings: {}
    """The rows that are deleted when they are old."""
    private_tables: tuple[str, ...] = ()
    """The tables that audits can't read, because they contain secrets or personal data."""
    context: Callable[[Settings], Any] = lambda _settings: None
    """Makes what its endpoints need besides transactions, such as keys; each process calls it once."""

    def __post_init__(self) -> None:
        if self.name not in SERVICES:
            raise WrongServices(f"{FILE.name} has no service {self.name}")
        SERVICES[self.name].check_reads(one.event for one in self.subscriptions)

    @property
    def hidden_from_audits(self) -> tuple[str, ...]:
        """The tables that audits can't read. Its requests to other services are about people."""
        return (*self.private_tables, "requests")

    @property
    def emits(self) -> tuple[str, ...]:
        """The events that its transactions may emit."""
        return SERVICES[self.name].emits

    def migrations(self) -> Mapping[str, Path]:
        """Return the folders of its migrations: those of every service, and that of its own tables."""
        return {**KIT_MIGRATIONS, self.name: ROOM / self.name / "migrations"}
