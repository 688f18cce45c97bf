"""The API and the pages: `python -m serving`."""

import sys
from functools import partial

from common.settings import ROOT, Settings
from local.home import settings_environment
from local.parts import readiness
from local.parts.part import Found, Part
from local.supervision.launch_file import ABREAST, Launch


def part(settings: Settings) -> Part:
    """The serving process of this checkout, or the one that the settings name."""
    ready = partial(readiness.check, "serving", settings.serving)
    if settings.serving_url:
        return Part("serving", Found("url", "", settings.serving), settings.serving, ready)
    return Part(
        "serving",
        Found("bundled", "", "serving"),
        settings.serving,
        ready,
        Launch([sys.executable, "-m", "serving"], ROOT, settings_environment(settings), session=ABREAST),
        ports={"serving": settings.port("serving")},
        needs=("tables", "redis", "jobs"),  # it calls itself ready once the jobs run
    )
