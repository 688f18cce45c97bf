"""The description of a part of the single-machine stack, and the requests of readiness checks."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import httpx

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


TIMEOUT_S = 3.0


def check_process(name: str, url: str, exclude: Sequence[str] = ()) -> None:
    """Check that nothing is missing for the process `name` at `url`, except what `exclude` names.

    Raises:
        NotReady: it does not answer, or it names what is missing.
    """
    try:
        answer = send("GET", f"{url}/ready", params={"exclude": list(exclude)})
    except httpx.HTTPError as error:
        raise NotReady(f"{name}: {error}") from error
    if answer.status_code != 200:
        raise NotReady(f"{name}: {_describe_missing(answer)}")


def check_answer(name: str, url: str) -> None:
    """Check that the process `name` answers at `url`, such as with its metrics.

    Raises:
        NotReady: it does not.
    """
    try:
        send("GET", url).raise_for_status()
    except httpx.HTTPError as error:
        raise NotReady(f"{name}: {url} does not answer: {error}") from error


def send(method: str, url: str, **options: Any) -> httpx.Response:
    """Send one request, with a timeout of `TIMEOUT_S` and without a proxy. `options` are those of httpx.

    Raises:
        httpx.HTTPError: no response arrived.
    """
    return httpx.request(
        method, url, timeout=TIMEOUT_S, trust_env=False, verify=_trusted_certificates(), **options
    )


@cache
def _trusted_certificates() -> ssl.SSLContext:
    """Return httpx's default context. Without it, each request would read all certificates: 30 ms of CPU."""
    return httpx.create_ssl_context()


def _describe_missing(answer: httpx.Response) -> str:
    """Return a description of what is missing: the names with the same reason together, and that reason."""
    try:
        missing = answer.json()["missing"].items()
    except (ValueError, LookupError, TypeError, AttributeError):
        return answer.text.strip()[:300]
    names: dict[str, list[str]] = {}
    for name, reason in missing:
        names.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(those)}: {reason}" for reason, those in names.items())
