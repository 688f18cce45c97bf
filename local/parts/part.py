"""What every part of the single-machine stack looks like to the rest of `local/`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from common.errors import SoukError
from local.supervision.launch_file import Launch


class NotReady(SoukError):
    """The part does not answer its own protocol yet; the message says what it said instead."""


@dataclass(frozen=True)
class Found:
    """Which program (or server) stands for a part, and how it was found."""

    how: Literal["url", "path", "bundled"]
    version: str
    where: str
    """The URL, or the program's or the jars' place."""


@dataclass(frozen=True)
class Part:
    """One server of the platform: found, described, not yet running."""

    name: str
    found: Found
    url: str
    """Where people and other parts reach it."""
    ready: Callable[[], None]
    """Speaks the part's own protocol once; raises NotReady. Answers within a few seconds."""
    launch: Launch | None = None
    """None for a part that the settings give by URL: it is checked, never started."""
    prepare: Callable[[], None] = lambda: None
    """Writes the part's files before it starts; idempotent; what it `needs` is ready by then."""
    ports: dict[str, int] = field(default_factory=dict)
    """What it listens on, on the loopback address only."""
    needs: tuple[str, ...] = ()
    """Names of the parts and set-up steps that come first."""
    timeout_s: float = 600.0
    """How long it may take from start to ready; long, since one that dies is noticed long before."""
