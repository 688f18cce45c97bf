"""Sends the requests of readiness checks, and checks our own processes by their `/ready`."""

import ssl
from functools import cache
from typing import Any

import httpx

from local.parts.part import NotReady

TIMEOUT_S = 3.0


def check(name: str, url: str) -> None:
    """Check that the process `name` at `url` reaches everything that it depends on.

    Raises:
        NotReady: it does not answer, or it names what is missing.
    """
    try:
        answer = send("GET", f"{url}/ready")
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
    """Return a description of what is missing: names of parts, or names of services with their reasons."""
    try:
        missing = answer.json()["missing"]
    except (ValueError, LookupError, TypeError):
        return answer.text.strip()[:300]
    if isinstance(missing, list):
        return f"waits for {', '.join(missing)}"
    services: dict[str, list[str]] = {}
    for service, reason in missing.items():
        services.setdefault(reason, []).append(service)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in services.items())
