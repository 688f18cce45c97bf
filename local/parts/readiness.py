"""Sends the requests of readiness checks, and checks our own processes by their `/ready`."""

import ssl
from collections.abc import Sequence
from functools import cache
from typing import Any

import httpx

from local.parts.part import NotReady

TIMEOUT_S = 3.0


def check(name: str, url: str, exclude: Sequence[str] = ()) -> None:
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
