"""The description of a part of the single-machine stack, which the rest of `local/` works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from common.errors import SoukError
from local.supervision.launch_file import LaunchSpec


class NotReady(SoukError):
    """The part does not answer its own protocol yet; the message says what it answered instead."""


@dataclass(frozen=True)
class Resolution:
    """The program or server that was chosen for a part, and how it was found."""

    source: Literal["url", "path", "bundled"]
    version: str
    location: str
    """The URL, or the path of the program or of its jars."""


@dataclass(frozen=True)
class Part:
    """One server of the platform: its program and how to start and check it. It need not be running."""

    name: str
    resolution: Resolution
    url: str
    """The address for people and other parts."""
    ready: Callable[[], None]
    """Sends one request in the part's own protocol; raises NotReady. Returns within a few seconds."""
    launch: LaunchSpec | None = None
    """None for a part that the settings give by URL: it is only checked."""
    prepare: Callable[[], None] = lambda: None
    """Writes the part's files before it starts; idempotent. It runs once everything in `needs` is ready."""
    ports: dict[str, int] = field(default_factory=dict)
    """Its ports, on the loopback address only."""
    needs: tuple[str, ...] = ()
    """Names of the parts and set-up steps that must be ready first."""
    timeout_s: float = 600.0
    """Limit from start to ready; generous, because a part that exits is reported long before."""
