"""Checks one of our own processes with a request to its `/ready`."""

import httpx

from common.tls import tls_context
from local.parts.part import NotReady

TIMEOUT_S = 3.0


def check(name: str, url: str) -> None:
    """Check that the process `name` at `url` reaches everything that it depends on.

    Raises:
        NotReady: it does not answer, or it names what is missing.
    """
    try:
        answer = httpx.get(f"{url}/ready", timeout=TIMEOUT_S, trust_env=False, verify=tls_context())
    except httpx.HTTPError as error:
        raise NotReady(f"{name}: {error}") from error
    if answer.status_code != 200:
        raise NotReady(f"{name}: {_describe_missing(answer)}")


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
