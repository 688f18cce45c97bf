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
        raise NotReady(f"{name}: {answer.text.strip()[:300]}")
