"""What a process of ours says of itself at `/ready`."""

import httpx

from local.parts.part import NotReady

TIMEOUT_S = 3.0


def check(name: str, url: str) -> None:
    """Ask the process `name` at `url` whether it reaches all that it needs.

    Raises:
        NotReady: it is not there, or it says what is missing.
    """
    try:
        answer = httpx.get(f"{url}/ready", timeout=TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        raise NotReady(f"{name}: {error}") from error
    if answer.status_code != 200:
        raise NotReady(f"{name}: {_missing(answer)}")


def _missing(answer: httpx.Response) -> str:
    """What it waits for, in words: names of parts, or of its services with the reason of each."""
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
