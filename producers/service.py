"""What a commerce service is: its events, its addresses, its work, its tables."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter

import producers
from common.settings import Settings
from producers.inbox.subscription import Subscription
from producers.outbox.transaction import Transactions

ROOM = Path(producers.__file__).parent

Worker = Callable[[Transactions, Settings], Coroutine[Any, Any, None]]
"""Runs until cancelled, beside the requests and the events: what a service does by itself."""


@dataclass(frozen=True)
class Service:
    """One service, as its `service.py` declares it. Its schema in PostgreSQL has its name."""

    name: str
    emits: tuple[str, ...]
    """The events that its transactions may emit."""
    subscriptions: tuple[Subscription, ...]
    """The events that it acts on."""
    router: APIRouter
    """Its addresses."""
    workers: tuple[Worker, ...] = ()

    def migrations(self) -> Mapping[str, Path]:
        """What its schema is made of: the outbox, the inbox, its own tables."""
        return {name: ROOM / name / "migrations" for name in ("outbox", "inbox", self.name)}
