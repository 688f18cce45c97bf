"""The services that take orders, keep stock and capture payments: `python -m producers`."""

import sys
from functools import partial

from common.settings import ROOT, Settings
from local.home import settings_environment
from local.parts import readiness
from local.parts.part import Found, Part
from local.supervision.launch_file import ABREAST, Launch


def part(settings: Settings) -> Part:
    """The services of this checkout in one process, or those that the settings name."""
    ready = partial(readiness.check, "commerce", settings.commerce)
    if settings.commerce_url:
        return Part("commerce", Found("url", "", settings.commerce), settings.commerce, ready)
    return Part(
        "commerce",
        Found("bundled", "", "producers"),
        settings.commerce,
        ready,
        Launch([sys.executable, "-m", "producers"], ROOT, settings_environment(settings), session=ABREAST),
        ports={"commerce": settings.port("commerce")},
        needs=("postgres", "topics"),  # it makes its tables itself
    )
