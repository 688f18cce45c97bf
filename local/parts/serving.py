"""The API and the seller's pages: `python -m serving`."""

import sys
from functools import partial

import httpx

from common.settings import ROOT, Settings
from local.home import settings_environment
from local.parts.part import Found, NotReady, Part
from local.supervision.launch_file import Launch


def part(settings: Settings) -> Part:
    """The serving process of this checkout, or the one that the settings name."""
    ready = partial(check, settings.serving)
    if settings.serving_url:
        return Part("serving", Found("url", "", settings.serving), settings.serving, ready)
    return Part(
        "serving",
        Found("bundled", "", "serving"),
        settings.serving,
        ready,
        Launch([sys.executable, "-m", "serving"], ROOT, settings_environment(settings)),
        ports={"serving": settings.port("serving")},
        needs=("tables", "redis", "jobs"),  # it calls itself ready once the jobs run
    )


def check(url: str) -> None:
    """Its own readiness: that it reaches all that it serves from.

    Raises:
        NotReady: it is not there, or it says what is missing.
    """
    try:
        answer = httpx.get(f"{url}/ready", timeout=3, trust_env=False)
    except httpx.HTTPError as error:
        raise NotReady(f"serving: {error}") from error
    if answer.status_code != 200:
        raise NotReady(f"serving: {answer.text.strip()[:300]}")
