"""How the application is composed: what a domain exports, and how routes read the domains that are open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

from fastapi import APIRouter, Request

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class DomainDefinition(Generic[P, T]):
    """What the module `domain` of a domain exports.

    `routers` are in the order in which a request tries them, and each of their routes has a policy. `open`
    opens what the domain needs, starts its background tasks, and closes both; its value is the open domain.
    """

    routers: tuple[APIRouter, ...]
    open: Callable[P, AbstractAsyncContextManager[T]]


class OpenDomains:
    """The open domains of a process, each under its class: `app.state.domains`."""

    def __init__(self) -> None:
        self._by_class: dict[type, object] = {}

    def add(self, domain: T) -> T:
        """Add an open domain, and return it."""
        self._by_class[type(domain)] = domain
        return domain

    async def enter(self, stack: AsyncExitStack, domain: AbstractAsyncContextManager[T]) -> T:
        """Open a domain until `stack` closes, add it, and return it."""
        return self.add(await stack.enter_async_context(domain))

    def of(self, kind: type[T]) -> T:
        """Return the domain of this class. It is a `KeyError` if the application has not opened it."""
        domain = self._by_class[kind]
        assert isinstance(domain, kind)
        return domain


def opened(request: Request, kind: type[T]) -> T:
    """Return the open domain of this class of the application that answers a request."""
    domains: OpenDomains = request.app.state.domains
    return domains.of(kind)


def reads(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """Return the dependency of a route that needs the domain of this class."""

    async def read(request: Request) -> T:
        return opened(request, kind)

    return read


def part_of(kind: type[T], part: Callable[[T], V]) -> Callable[[Request], Awaitable[V]]:
    """Return the dependency of a route that needs a part of the domain of this class."""

    async def read(request: Request) -> V:
        return part(opened(request, kind))

    return read


class BackgroundPart(Protocol):
    """A part of a domain that has a task or a thread of its own."""

    def start(self) -> None:
        """Begin to work."""

    async def aclose(self) -> None:
        """Stop working."""


async def stop_task(task: "asyncio.Task[Any] | None") -> None:
    """Cancel a task, unless it was never started, and wait for its end. Raises what the task has raised."""
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


Part = TypeVar("Part", bound=BackgroundPart)


@asynccontextmanager
async def running(part: Part) -> AsyncIterator[Part]:
    """Start a part, and close it in the end."""
    part.start()
    try:
        yield part
    finally:
        await part.aclose()
